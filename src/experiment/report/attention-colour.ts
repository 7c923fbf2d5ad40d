const TICKS = [0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1];

/**
 * White to dark blue by the square root, so that faint attention shows: one hue, told apart by its lightness alone, for
 * print and colour-blind readers.
 * @param largest attention that is darkest, at most 1
 */
export function attentionColour(largest: number) {
  return {
    field: 'attention',
    type: 'quantitative' as const,
    scale: {
      type: 'sqrt' as const,
      domain: [0, largest],
      range: ['#ffffff', '#6baed6', '#08306b'],
      interpolate: 'rgb' as const,
    },
    title: 'attention',
    legend: { values: TICKS.filter((tick) => tick <= largest), format: '~r', gradientLength: 200, labelOverlap: false },
  };
}
