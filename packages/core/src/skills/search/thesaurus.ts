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
const PLAIN = /^[a-z]+( [a-z]+)*$/

function compile(): Thesaurus {
  const phrases = new Map<string, Phrase[]>()
  const words = new Set<string>()
  const read = (forms: string, kind: SuggestionKind): ReadForm[] =>
    forms.split(',').map(written => {
      const said = wordsOf(written.trim())
      for (const word of said) words.add(word)
      const stems = said.map(stem)
      const telling = stems.filter((_, at) => !isStopWord(said[at]!))
      return { stems, suggestion: { form: written.trim(), stems: telling, kind } }
    })
  const add = ({ stems }: ReadForm, gap: number, meant: readonly ReadForm[]): void => {
    const [first] = stems
    if (first === undefined) return
    const phrase = { stems, gap, suggestions: meant.map(({ suggestion }) => suggestion) }
    const others = phrases.get(first)
    if (others === undefined) phrases.set(first, [phrase])
    else others.push(phrase)
  }
  const addMutual = (lines: readonly string[], kind: SuggestionKind): void => {
    for (const line of lines) {
      const forms = read(line, kind)
      for (const form of forms) {
        add(
          form,
          0,
          forms.filter(other => other !== form),
        )
      }
    }
  }
  addMutual(ABBREVIATIONS, 'abbreviation')
  addMutual(SYNONYMS, 'synonym')
  for (const line of SYMPTOMS) {
    const [said = '', meant = ''] = line.split('>')
    const causes = read(meant, 'symptom')
    for (const form of read(said, 'symptom')) add(form, MAX_GAP, causes)
  }
  return { phrases, words }
}

/** Most forms are plain words, for which the tokeniser has nothing to do but to cost the first search 60 ms. */
const wordsOf = (form: string): readonly string[] =>
  PLAIN.test(form) ? form.split(' ') : chunks(form).flatMap(chunk => chunk.words)

interface ReadForm {
  readonly stems: readonly string[]
  readonly suggestion: Suggestion
}
