export { findAbbreviations, type Abbreviation } from './abbreviations.js';
export { BLANK_CLASS, isBlank } from './blank.js';
export { CodePointIndex } from './offsets.js';
export { splitSentences } from './sentences.js';
export type { Span } from './span.js';
export type { TokenizerJson, VocabularyOptions } from './tokenizer-json.js';
export { ownsMention, planWindows, type WordWindow } from './windows.js';
export { WordPieceTokenizer, type WordPieces } from './wordpiece.js';
export { splitWords } from './words.js';
