/** Elements, made by hand. Words become text nodes and nothing else: no markup is ever parsed here. */

type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>
type Child = Node | string | null

/** `true` is an attribute without a value; null, undefined and false leave it out. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children.filter(child => child !== null))
  return element
}

/** A mark that a reader of screens is spared: the word beside it says the same. */
export function mark(symbol: string, tone: string): HTMLElement {
  return el('span', { class: `mark ${tone}`, 'aria-hidden': 'true' }, symbol)
}

export function section(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  const heading = el('h2', { id: `${id}-title` }, title)
  return el('section', { id, 'aria-labelledby': `${id}-title` }, heading, ...children)
}

export function button(text: string, act: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = el('button', { type: 'button', ...attributes }, text)
  made.addEventListener('click', act)
  return made
}

/** Not the label around its control: the words of a list of choices would be taken for the label's. */
export function labelled(id: string, text: string, control: HTMLElement, shape = ''): HTMLElement {
  control.id = id
  return el('div', { class: `field ${shape}` }, el('label', { for: id }, text), control)
}
