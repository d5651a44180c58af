/**
 * What a description says of other skills is not about its own: "For one pod use k8s/single-pod-restart",
 * "Do not use for PDFs". Such clauses are left out of the index, since their words are just those that should
 * find the other skill.
 */

const CLAUSE = /(?<=[.;!?])\s+/u
const EXCLUDES =
  /^(?:do not|don['’]t|never|not|skip) (?:use|for|when|if)\b|^(?:not|isn['’]t) (?:meant|intended)\b/iu
const REFERS = /\b(?:use|see|try|prefer|go to|that is)\b/iu
/** A slash or a hyphen: a plain word such as `pricing` is seldom meant as a skill. */
const SKILL_LIKE = /[\p{L}\p{N}]+(?:[-/][\p{L}\p{N}]+)+/gu

/** @param others Whether a lower-case id, or the last part of one, is another skill's. */
export const ownClauses = (text: string, others: (id: string) => boolean): string =>
  text
    .split(CLAUSE)
    .filter(clause => !EXCLUDES.test(clause) && !(REFERS.test(clause) && names(clause, others)))
    .join(' ')

const names = (clause: string, others: (id: string) => boolean): boolean =>
  (clause.match(SKILL_LIKE) ?? []).some(id => others(id.toLowerCase()))
