/** What Vite makes of files that TypeScript does not read. */

interface ImportMeta {
  readonly env: { readonly SSR: boolean }
}

declare module '*.vue' {
  import type { Component } from 'vue'
  const component: Component
  export default component
}

declare module '*.css' {}
declare module '@fontsource-variable/*' {}
