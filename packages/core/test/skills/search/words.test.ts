import { expect, test } from 'vitest'
import { ABBREVIATIONS } from '../../../src/skills/search/data/abbreviations.ts'
import { ORDINARY_WORDS, STOP_WORDS, WEAK_WORDS } from '../../../src/skills/search/data/common-words.ts'
import { SYMPTOMS } from '../../../src/skills/search/data/symptoms.ts'
import { SYNONYMS } from '../../../src/skills/search/data/synonyms.ts'
import { chunks, isStopWord } from '../../../src/skills/search/tokens.ts'

const words = (form: string): string[] => chunks(form).flatMap(chunk => chunk.words)
const stopsAlone = (form: string): boolean => words(form).length === 1 && words(form).every(isStopWord)
const problems = (line: string, forms: readonly string[]): string[] => [
  ...(forms.length < 2 ? [`${line}: one form only`] : []),
  ...forms.filter(form => form.trim() === '').map(() => `${line}: an empty form`),
  ...forms.filter(stopsAlone).map(form => `${line}: "${form}" is a stop word`),
  ...forms.filter(form => form !== form.toLowerCase()).map(form => `${line}: "${form}" is not lower case`),
]

test('every group of synonyms and abbreviations has two forms or more, and each can be looked up', () => {
  expect([...ABBREVIATIONS, ...SYNONYMS].flatMap(line => problems(line, line.split(',')))).toEqual([])
})

test('every symptom says one thing and means another', () => {
  expect(
    SYMPTOMS.flatMap(line => {
      const sides = line.split('>')
      return sides.length === 2
        ? problems(
            line,
            sides.flatMap(side => side.split(',')),
          )
        : [`${line}: not one ">"`]
    }),
  ).toEqual([])
})

test('no line is there twice', () => {
  const lines = [...ABBREVIATIONS, ...SYNONYMS, ...SYMPTOMS]
  expect(lines.filter((line, at) => lines.indexOf(line) !== at)).toEqual([])
})

test('common words are lower-case words', () => {
  const all = [...STOP_WORDS, ...WEAK_WORDS, ...ORDINARY_WORDS]
  expect(all.filter(word => !/^[a-z]+$/u.test(word))).toEqual([])
})
