/**
 * Which items there are: the eaches that a run opened, and the keys that were added to them.
 *
 * A full key says where an item belongs: `parent/key` inside an item, `prefix` + key inside a skill, both for a
 * skill that an item calls. It is the same in every run of a script, which is how a resumed run finds what is done:
 *  - two eaches may hold one key (restart all, then check all): the second item is `key#2`;
 *  - an item that is tried again opens its eaches again, and finds the items that its last attempt had.
 */

import type { RunHistory } from '../journal/history.ts'
import { CallError } from '../../tools/protocol.ts'
import type { LedgerLimits } from './limits.ts'
import { Item } from './item.ts'
import { charsOf, invalid, parseName, quoted } from './params.ts'

interface Each {
  readonly parent: Item | null
  readonly prefix: string
  /** What every full key of it begins with. */
  readonly base: string
  readonly keys: Set<string>
  readonly items: Item[]
}

export class Eaches {
  readonly #limits: LedgerLimits
  readonly #history: RunHistory | null
  readonly #eaches = new Map<number, Each>()
  /** Of the each that an item is in. */
  readonly #prefixes = new Map<Item, string>()
  readonly #byKey = new Map<string, Item>()
  readonly #byToken = new Map<string, Item>()
  /** How many items have a full key, without what tells them apart. */
  readonly #occurrences = new Map<string, number>()

  constructor(limits: LedgerLimits, history: RunHistory | null) {
    this.#limits = limits
    this.#history = history
  }

  get isOpened(): boolean {
    return this.#eaches.size > 0
  }

  /** In the order in which they were added. */
  items(): IterableIterator<Item> {
    return this.#byKey.values()
  }

  /** @throws {CallError} INVALID_PARAMS */
  byToken(token: unknown): Item {
    const item = typeof token === 'string' ? this.#byToken.get(token) : undefined
    if (item === undefined) throw invalid('there is no such item in this run')
    return item
  }

  byKey(key: string): Item | null {
    return this.#byKey.get(key) ?? null
  }

  /** @throws {CallError} LIMIT_EXCEEDED */
  open(parent: Item | null, prefix: string): number {
    if (this.#eaches.size >= this.#limits.maxEaches) {
      throw new CallError('LIMIT_EXCEEDED', `a run opens at most ${this.#limits.maxEaches} eaches`)
    }
    const number = this.#eaches.size + 1
    // An each inside an item of a skill is told by that item, whose key has the prefix already.
    const isInside = parent !== null && this.#prefixes.get(parent) === prefix
    const base = `${parent === null ? '' : `${parent.key}/`}${isInside ? '' : prefix}`
    this.#eaches.set(number, { parent, prefix, base, keys: new Set(), items: [] })
    parent?.eaches.push(number)
    return number
  }

  /** All of them or none. @throws {CallError} INVALID_PARAMS | LIMIT_EXCEEDED | TOO_LARGE */
  add(number: unknown, given: unknown): { readonly items: Item[]; readonly created: readonly Item[] } {
    const each = typeof number === 'number' ? this.#eaches.get(number) : undefined
    if (each === undefined) throw invalid('there is no such each in this run')
    const keys = this.#parseKeys(each, given)
    const taken = new Set<string>()
    const places = keys.map(key => this.#place(each, key, taken))
    const added = places.filter(({ item }) => item === null).length
    let refusal: CallError | null = null
    if (this.#byKey.size + added > this.#limits.maxItems) {
      refusal = new CallError('LIMIT_EXCEEDED', `a run has at most ${this.#limits.maxItems} items`, {
        hint: 'let one item stand for many: a page, a namespace, a file',
      })
    } else if (this.#answerBytes(places) > this.#limits.maxAnswerBytes) {
      refusal = new CallError(
        'TOO_LARGE',
        'the values that were recorded for these keys do not fit into an answer',
        {
          hint: 'add fewer keys at once',
        },
      )
    }
    if (refusal !== null) {
      for (const { plain, before } of places) this.#occurrences.set(plain, before)
      throw refusal
    }
    for (const key of keys) each.keys.add(key)
    const items = places.map(place => this.#claim(each, place))
    return { items, created: items.filter((_, i) => places[i]!.item === null) }
  }

  /** Its next attempt opens its eaches anew. */
  release(item: Item): void {
    for (const number of item.eaches.splice(0)) {
      const each = this.#eaches.get(number)!
      for (const key of each.keys) this.#occurrences.delete(each.base + key)
      for (const below of each.items) {
        below.isClaimed = false
        this.release(below)
      }
      each.keys.clear()
      each.items.length = 0
    }
  }

  #parseKeys(each: Each, given: unknown): string[] {
    const { maxKeysAtOnce, maxKeyChars, maxFullKeyChars } = this.#limits
    if (!Array.isArray(given)) throw invalid('keys is an array of strings')
    if (given.length > maxKeysAtOnce) {
      throw new CallError('TOO_LARGE', `${given.length} keys at once, and at most ${maxKeysAtOnce} are taken`)
    }
    const spent = charsOf(each.base)
    const seen = new Set<string>()
    return given.map((value: unknown) => {
      const key = parseName(value, 'the key of an item', maxKeyChars)
      if (seen.has(key) || each.keys.has(key)) {
        throw invalid(
          `two items of one each have the key ${quoted(key)}`,
          'give each() a key that tells them apart',
        )
      }
      if (spent + charsOf(key) > maxFullKeyChars) {
        throw invalid(`the key ${quoted(key)} is too long with those of the items around it`)
      }
      seen.add(key)
      return key
    })
  }

  /** The full key of the next item of that name, and the item where there is one that nobody has any more. */
  #place(each: Each, key: string, taken: Set<string>): Place {
    const plain = each.base + key
    const before = this.#occurrences.get(plain) ?? 0
    for (let occurrence = before + 1; ; occurrence += 1) {
      const full = occurrence === 1 ? plain : `${plain}#${occurrence}`
      const item = this.#byKey.get(full) ?? null
      if (taken.has(full) || (item !== null && (item.isClaimed || item.parent !== each.parent))) continue
      this.#occurrences.set(plain, occurrence)
      taken.add(full)
      return { plain, before, full, item }
    }
  }

  #answerBytes(places: readonly Place[]): number {
    let bytes = 0
    for (const { item, full } of places) {
      if (item !== null) bytes += item.value?.length ?? 0
      else bytes += sizeOf(this.#history?.items.get(full)?.value)
    }
    return bytes
  }

  #claim(each: Each, { full, item: left }: Place): Item {
    const item = left ?? this.#create(each, full)
    item.isClaimed = true
    // Another attempt of its parent: what failed then, or was left halfway, is to be done now.
    if (left !== null && (left.state === 'failed' || left.state === 'running')) left.state = 'pending'
    each.items.push(item)
    return item
  }

  #create(each: Each, full: string): Item {
    const token = `i${this.#byToken.size + 1}`
    const item = new Item(full, token, each.parent, this.#history?.items.get(full) ?? null)
    this.#byKey.set(full, item)
    this.#byToken.set(token, item)
    this.#prefixes.set(item, each.prefix)
    return item
  }
}

interface Place {
  readonly plain: string
  /** How many there were. */
  readonly before: number
  readonly full: string
  readonly item: Item | null
}

function sizeOf(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value))
}
