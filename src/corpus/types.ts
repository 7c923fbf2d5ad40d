import { UsageError } from '../errors.js';

/** The entity types that the bundled model finds. */
export const canonicalTypes = ['Gene', 'Chemical', 'Disease'] as const;

/** What a file calls a type, to what this library calls it. Names that are absent stay as they are. */
export type TypeMap = ReadonlyMap<string, string>;

/**
 * The names that known corpora use for the canonical types: BC2GM (`GENE`), PubTator and CDR, NCBI Disease
 * (its four classes of disease mentions), JNLPBA-like `protein`, and BioRED. Everything else (`Species`, `CellLine`,
 * `DNAMutation`, ...) passes through unchanged.
 */
export const defaultTypes: TypeMap = new Map([
  ...['GENE', 'gene', 'PROTEIN', 'Protein', 'protein', 'GeneOrGeneProduct'].map((name) => [name, 'Gene'] as const),
  ...['CHEMICAL', 'chemical', 'ChemicalEntity'].map((name) => [name, 'Chemical'] as const),
  ...['DISEASE', 'disease', 'SpecificDisease', 'DiseaseClass', 'CompositeMention', 'Modifier'].map(
    (name) => [name, 'Disease'] as const,
  ),
  ['DiseaseOrPhenotypicFeature', 'Disease'],
]);

/** Leaves every name as the file has it. */
export const unchangedTypes: TypeMap = new Map();

/**
 * The default map overruled by `A=B` rules (`--map`): what a file calls `A` becomes `B`. `A=A` keeps a name that the
 * default would change.
 * @throws UsageError for a rule that is not `A=B`
 */
export function typeMap(rules: readonly string[], base: TypeMap = defaultTypes): TypeMap {
  const map = new Map(base);
  for (const rule of rules) {
    const [from, to, ...rest] = rule.split('=').map((name) => name.trim());
    if (!from || !to || rest.length > 0) throw new UsageError(`expected a mapping like GENE=Gene, found ${rule}`);
    map.set(from, to);
  }
  return map;
}

/**
 * The fields of an entity whose type the file calls `name`: the mapped type and, when the default map changed it, the
 * file's own name as attribute `sourceType`, which formats with types of their own write back. A name that the caller
 * mapped otherwise than the default is renamed for good.
 */
export function mappedType(name: string, map: TypeMap): { type: string; sourceType?: string } {
  const type = map.get(name) ?? name;
  return type !== name && defaultTypes.get(name) === type ? { type, sourceType: name } : { type };
}
