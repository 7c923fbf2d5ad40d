/** Words that no sentence ends with when a dot follows: `Fig. 2`, `vs. Y`, `Dr. Kniest`. Lower case. */
export const NEVER_FINAL: ReadonlySet<string> = new Set(
  (
    'fig figs ref refs eq eqs eqn tab suppl sect chap ch vol vols eds pp nos approx ca cf vs viz resp ' +
    'subsp ssp subgen var cv dr drs mr mrs prof st mt e.g i.e c.f w.r.t e.g, i.e, incl excl'
  ).split(' '),
);

/**
 * Words whose dot may end the sentence or not: `Smith et al. Nature` against `Smith et al. The`. Dotted abbreviations
 * (`i.v`, `t.i.d`, `U.S`) count as such without being listed. Lower case.
 */
export const SOMETIMES_FINAL: ReadonlySet<string> = new Set(
  (
    'sp spp al etc inc ltd co corp jr sr ph.d m.d dept univ esp wt mol concn est exp intl natl linn sec no ' +
    'jan feb mar apr jun jul aug sep sept oct nov dec'
  ).split(' '),
);

/** What a single capital letter names: `vitamin D. We` ends a sentence, `D. W. Melton` and `E. coli` do not. */
export const BEFORE_LETTER_NAME: ReadonlySet<string> = new Set(
  (
    'group groups type types vitamin vitamins hepatitis class grade stage part phase panel arm case patient factor ' +
    'protein chain subunit domain region allele haplotype genotype variant virus influenza immunoglobulin ' +
    'cyclosporin cyclosporine chromosome cohort cluster box site degrees'
  ).split(' '),
);

/** Capitalised words that open sentences and hardly ever follow an abbreviation inside one. */
export const STARTERS: ReadonlySet<string> = new Set(
  (
    'The An This These That Those We Our In On At Of For From To With By As It Its They Their There Here However ' +
    'Moreover Furthermore Thus Therefore Hence Although Though While When Where Whereas After Before During Since ' +
    'Because If Both All Some Most Many Several No Not None Only Patients Results Mice Rats Cells Treatment ' +
    'Analysis Using Based Following Interestingly Additionally Finally Conversely Similarly Overall Each Two Three ' +
    'Four Five Six Seven Eight Nine Ten Twelve Twenty Compared He She One Data Studies Mutations Such Between'
  ).split(' '),
);

/** Labels of structured abstracts; in capitals before a colon they open a sentence wherever they stand. */
export const SECTION_LABELS: readonly string[] = (
  'BACKGROUND|INTRODUCTION|CONTEXT|RATIONALE|OBJECTIVES?|AIMS?|PURPOSE|GOALS?|HYPOTHESIS|(?:STUDY )?DESIGN|SETTINGS?|' +
  'PARTICIPANTS|PATIENTS|SUBJECTS|POPULATION|INTERVENTIONS?|METHODS?|MATERIALS?|METHODOLOGY|PROCEDURES?|MEASUREMENTS?|' +
  '(?:MAIN )?(?:OUTCOME )?MEASURES?|(?:MAIN )?RESULTS?|DATA SOURCES?|DATA EXTRACTION|DATA SYNTHESIS|STUDY SELECTION|' +
  'FINDINGS|OBSERVATIONS|CASE REPORTS?|CASE SUMMARY|CASES?|DISCUSSION|INTERPRETATION|CONCLUSIONS?|LIMITATIONS|' +
  'SIGNIFICANCE|IMPLICATIONS|CLINICAL RELEVANCE|SUMMARY|FUNDING|TRIAL REGISTRATION'
).split('|');
