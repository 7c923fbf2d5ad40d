import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { InputError } from '../../errors.js';

/** A picture in both forms. */
export interface Drawing {
  readonly svg: string;
  readonly png: Uint8Array;
}

const FONT = 'DejaVu Sans';
const PACKAGES = 'vega vega-lite @resvg/resvg-js dejavu-fonts-ttf';

const style = {
  background: 'white',
  font: FONT,
  axis: { labelFontSize: 12, titleFontSize: 12, gridColor: '#e5e5e5' },
  legend: { labelFontSize: 12, symbolSize: 80 },
  header: { labelFontSize: 13, labelFontWeight: 'bold' },
  view: { stroke: '#999999' },
} as const;

/**
 * Draws pictures by Vega-Lite (Satyanarayan et al. 2017), which is installed apart.
 * @throws InputError when the packages that draw are not installed
 */
export async function draw(specs: Readonly<Record<string, TopLevelSpec>>): Promise<Record<string, Drawing>> {
  const { vega, vegaLite, Resvg, fonts } = await drawingPackages();
  const drawings: Record<string, Drawing> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const { config = {}, ...rest } = spec as TopLevelSpec & { config?: object };
    const compiled = vegaLite.compile({ ...rest, config: { ...style, ...config } } as TopLevelSpec);
    const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none' });
    const svg = mergePaths(await view.toSVG());
    const font = { loadSystemFonts: false, fontFiles: fonts, defaultFontFamily: FONT };
    drawings[name] = {
      svg: `${svg}\n`,
      png: new Resvg(svg, { font, fitTo: { mode: 'zoom', value: 2 } }).render().asPng(),
    };
    view.finalize();
  }
  return drawings;
}

/** Neighbouring paths of one colour and nothing else as one path: an SVG of many cells is a third as long. */
export function mergePaths(svg: string): string {
  return svg.replace(/<path d="[^"]*" fill="([^"]*)"\/>(?:<path d="[^"]*" fill="\1"\/>)+/g, (paths, fill: string) => {
    const all = [...paths.matchAll(/ d="([^"]*)"/g)].map(([, d = '']) => d);
    return `<path d="${all.join('')}" fill="${fill}"/>`;
  });
}

async function drawingPackages() {
  try {
    const [vega, vegaLite, { Resvg }] = await Promise.all([
      import('vega'),
      import('vega-lite'),
      import('@resvg/resvg-js'),
    ]);
    const folder = dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json'));
    const fonts = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => join(folder, 'ttf', file));
    return { vega, vegaLite, Resvg, fonts };
  } catch (cause) {
    if (
      (cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND' &&
      (cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND'
    )
      throw cause;
    throw new InputError(
      `expected the packages that draw pictures, found none: npm install ${PACKAGES}`,
      {},
      { cause },
    );
  }
}
