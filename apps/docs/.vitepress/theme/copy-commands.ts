/** The copy button of a console block copies what a person types, and not what was printed. */

export function copyCommands(): void {
  window.addEventListener(
    'click',
    event => {
      const button = event.target
      if (!(button instanceof HTMLElement) || !button.matches('.language-console > button.copy')) return
      const text = button.parentElement?.querySelector('code')?.textContent
      if (text === undefined || text === null) return
      event.stopPropagation()
      void navigator.clipboard.writeText(typed(text)).then(() => {
        button.classList.add('copied')
        setTimeout(() => button.classList.remove('copied'), 2000)
      })
    },
    { capture: true },
  )
}

/** Lines after a `$ `, and those that a backslash joins to one. */
export function typed(text: string): string {
  let isOpen = false
  return text
    .split('\n')
    .flatMap(line => {
      const isTyped = isOpen || line.startsWith('$ ')
      isOpen = isTyped && line.endsWith('\\')
      return isTyped ? [line.replace(/^\$ /, '')] : []
    })
    .join('\n')
}
