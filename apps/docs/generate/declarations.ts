/**
 * The exports of a module, read from its declaration files by the TypeScript compiler: name, comment and signature.
 *
 * No types are checked and no library is loaded. What an export names and does not export itself follows after it.
 */

import ts from 'typescript'

export interface Declared {
  readonly name: string
  readonly kind: 'function' | 'class' | 'type' | 'value'
  /** As it stands in the declaration file, without its comment. */
  readonly text: string
  readonly comment: string
  readonly tags: readonly Tag[]
  readonly file: string
}

export interface Tag {
  readonly name: string
  /** Of a parameter; else empty. */
  readonly of: string
  readonly text: string
}

export interface DeclaredModule {
  readonly exports: readonly Declared[]
  /** Types of the same package that the exports name. */
  readonly named: readonly Declared[]
}

export function readDeclarations(entry: string): DeclaredModule {
  const program = ts.createProgram([entry], {
    noLib: true,
    types: [],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(entry)
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${entry} exports nothing, or is not there`)

  const resolve = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const seen = new Set<ts.Symbol>()
  const exported = checker
    .getExportsOfModule(module)
    .filter(({ name }) => name !== 'default')
    .map(symbol => ({ name: symbol.name, symbol: resolve(symbol) }))
  for (const { symbol } of exported) seen.add(symbol)

  const named: Declared[] = []
  const waiting = exported.map(({ symbol }) => symbol)
  for (let symbol = waiting.shift(); symbol !== undefined; symbol = waiting.shift()) {
    for (const node of nodesOf(symbol)) {
      forEachName(node, name => {
        const found = checker.getSymbolAtLocation(name)
        const target = found === undefined ? undefined : resolve(found)
        if (target === undefined || seen.has(target) || !isOwnType(target, program)) return
        seen.add(target)
        waiting.push(target)
        named.push(describe(target.name, target))
      })
    }
  }
  return {
    exports: exported.map(({ name, symbol }) => describe(name, symbol)),
    named: named.sort((a, b) => a.name.localeCompare(b.name)),
  }
}

function describe(name: string, symbol: ts.Symbol): Declared {
  const [node, ...more] = nodesOf(symbol)
  if (node === undefined) throw new Error(`\`${name}\` is declared nowhere`)
  const text = [node, ...more]
    .map(one =>
      one
        .getText()
        .replace(/^export /, '')
        .replace(/^declare /, ''),
    )
    .join('\n')
  const tags = ts.getJSDocTags(node).map(tag => ({
    name: tag.tagName.text,
    of: ts.isJSDocParameterTag(tag) ? tag.name.getText() : '',
    text: thrown(tag) + (ts.getTextOfJSDocComment(tag.comment) ?? ''),
  }))
  const comment = ts
    .getJSDocCommentsAndTags(node)
    .filter(ts.isJSDoc)
    .map(doc => ts.getTextOfJSDocComment(doc.comment) ?? '')
    .join('\n\n')
  return { name, kind: kindOf(node), text, comment, tags, file: node.getSourceFile().fileName }
}

/** `@throws {X} y`: the compiler keeps the braces apart. */
const thrown = (tag: ts.JSDocTag): string =>
  ts.isJSDocThrowsTag(tag) && tag.typeExpression !== undefined
    ? `\`${tag.typeExpression.type.getText()}\` `
    : ''

/** The whole statement of a constant, not only its name and type. */
function nodesOf(symbol: ts.Symbol): readonly ts.Node[] {
  return (symbol.declarations ?? []).map(node => (ts.isVariableDeclaration(node) ? node.parent.parent : node))
}

function kindOf(node: ts.Node): Declared['kind'] {
  if (ts.isFunctionDeclaration(node)) return 'function'
  if (ts.isClassDeclaration(node)) return 'class'
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return 'type'
  return ts.isVariableStatement(node) && /=>/.test(node.getText()) ? 'function' : 'value'
}

function forEachName(node: ts.Node, visit: (name: ts.Node) => void): void {
  if (ts.isTypeReferenceNode(node)) visit(node.typeName)
  if (ts.isExpressionWithTypeArguments(node)) visit(node.expression)
  if (ts.isImportTypeNode(node) && node.qualifier !== undefined) visit(node.qualifier)
  node.forEachChild(child => forEachName(child, visit))
}

function isOwnType(symbol: ts.Symbol, program: ts.Program): boolean {
  const isType = symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Class)
  const file = symbol.declarations?.[0]?.getSourceFile()
  return isType !== 0 && file !== undefined && !program.isSourceFileFromExternalLibrary(file)
}
