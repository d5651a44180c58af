/**
 * The synonyms, abbreviations and symptoms of `data/`, ready to be found in a query.
 *
 * A form is matched by its stems in order; a symptom may have up to two other words between any two of its own.
 */

import { ABBREVIATIONS } from './data/abbreviations.ts'
import { SYMPTOMS } from './data/symptoms.ts'
import { SYNONYMS } from './data/synonyms.ts'
import { chunks, isStopWord, stem } from './tokens.ts'

/** Another way to say what a query says. */
export interface Suggestion {
  /** As written in `data/`, for whoever asks why. */
  readonly form: string
  /** Stems that carry meaning; a skill is to have all of them. */
  readonly stems: readonly string[]
  readonly kind: SuggestionKind
}

export type SuggestionKind = 'abbreviation' | 'synonym' | 'symptom'

export interface Phrase {
  readonly stems: readonly string[]
  /** How many other words may stand between two of its own. */
  readonly gap: number
  readonly suggestions: readonly Suggestion[]
}

export interface Thesaurus {
  /** Phrases by their first stem. */
  readonly phrases: ReadonlyMap<string, readonly Phrase[]>
  /** Every word of it as written: no typo, and what a typo may have meant. */
  readonly words: ReadonlySet<string>
}

/** The one of `data/`; read once. */
export function thesaurus(): Thesaurus {
  cached ??= compile()
  return cached
}

let cached: Thesaurus | undefined

const MAX_GAP = 2

function compile(): Thesaurus {
  const phrases = new Map<string, Phrase[]>()
  const words = new Set<string>()
  const add = (form: string, gap: number, suggestions: readonly Suggestion[]): void => {
    const said = wordsOf(form)
    for (const word of said) words.add(word)
    const stems = said.map(stem)
    const first = stems[0]
    if (first === undefined) return
    const list = phrases.get(first)
    if (list === undefined) phrases.set(first, [{ stems, gap, suggestions }])
    else list.push({ stems, gap, suggestions })
  }
  const suggest = (forms: readonly string[], kind: SuggestionKind): Suggestion[] =>
    forms.map(form => ({
      form,
      stems: wordsOf(form)
        .filter(word => !isStopWord(word))
        .map(stem),
      kind,
    }))

  const mutual = (lines: readonly string[], kind: SuggestionKind): void => {
    for (const line of lines) {
      const forms = split(line)
      for (const form of forms)
        add(
          form,
          0,
          suggest(
            forms.filter(other => other !== form),
            kind,
          ),
        )
    }
  }
  mutual(ABBREVIATIONS, 'abbreviation')
  mutual(SYNONYMS, 'synonym')
  for (const line of SYMPTOMS) {
    const [said = '', meant = ''] = line.split('>')
    for (const form of split(meant)) for (const word of wordsOf(form)) words.add(word)
    for (const form of split(said)) add(form, MAX_GAP, suggest(split(meant), 'symptom'))
  }
  return { phrases, words }
}

const split = (forms: string): string[] =>
  forms
    .split(',')
    .map(form => form.trim())
    .filter(form => form !== '')

const wordsOf = (form: string): string[] => chunks(form).flatMap(({ words }) => words)
