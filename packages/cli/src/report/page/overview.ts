/** The whole run in one picture: how many calls were open at each moment, and where there was trouble. */

import { duration } from '../../render/units.ts'
import { el } from './dom.ts'
import { waveBands, type Rows } from './rows.ts'
import { whole, zoomed, type View } from './view.ts'

const HEIGHT = 76
const TROUBLE_HEIGHT = 5
const BUCKET = 3
const MIN_DRAG = 4

export interface Overview {
  readonly element: HTMLElement
  draw(view: View): void
}

export function overview(rows: Rows, zoomTo: (view: View) => void): Overview {
  const canvas = el('canvas', { class: 'overview', role: 'img', 'aria-label': describe(rows) })
  const selection = el('div', { class: 'selection', hidden: true })
  const element = el(
    'div',
    { class: 'picture' },
    el('div', { class: 'overview-box' }, canvas, selection),
    el('div', { class: 'ends' }, el('span', {}, '0 s'), el('span', {}, duration(rows.lengthMs))),
  )
  let current = whole(rows.lengthMs)
  const draw = (view: View): void => {
    current = view
    paint(canvas, rows, view)
  }
  const msAt = (x: number): number => (x / canvas.clientWidth) * rows.lengthMs
  const xOf = (event: MouseEvent): number =>
    Math.min(canvas.clientWidth, Math.max(0, event.clientX - canvas.getBoundingClientRect().left))

  canvas.addEventListener('pointerdown', down => {
    if (down.button !== 0) return
    const from = xOf(down)
    canvas.setPointerCapture(down.pointerId)
    const move = (event: PointerEvent): void => {
      const to = xOf(event)
      selection.hidden = Math.abs(to - from) < MIN_DRAG
      selection.style.left = `${Math.min(from, to)}px`
      selection.style.width = `${Math.abs(to - from)}px`
    }
    const end = (event: PointerEvent): void => {
      canvas.removeEventListener('pointermove', move)
      selection.hidden = true
      const to = xOf(event)
      if (event.type === 'pointerup' && Math.abs(to - from) >= MIN_DRAG)
        zoomTo({ fromMs: msAt(Math.min(from, to)), toMs: msAt(Math.max(from, to)) })
    }
    canvas.addEventListener('pointermove', move)
    canvas.addEventListener('pointerup', end, { once: true })
    canvas.addEventListener('pointercancel', end, { once: true })
  })
  canvas.addEventListener('dblclick', () => zoomTo(whole(rows.lengthMs)))
  canvas.addEventListener(
    'wheel',
    event => {
      event.preventDefault()
      zoomTo(zoomed(current, event.deltaY < 0 ? 0.8 : 1.25, msAt(xOf(event)), rows.lengthMs))
    },
    { passive: false },
  )
  new ResizeObserver(() => draw(current)).observe(canvas)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => draw(current))
  return { element, draw }
}

function describe(rows: Rows): string {
  let trouble = 0
  for (let at = 0; at < rows.count; at += 1) if (rows.isTrouble(at)) trouble += 1
  const span = duration(rows.lengthMs)
  return `${rows.count} calls over ${span}, ${trouble} of them with trouble. The rows below say the same in words.`
}

function paint(canvas: HTMLCanvasElement, rows: Rows, view: View): void {
  const width = canvas.clientWidth
  if (width === 0) return
  const ratio = devicePixelRatio
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(HEIGHT * ratio)
  const context = canvas.getContext('2d')!
  context.scale(ratio, ratio)
  const style = getComputedStyle(canvas)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`)
  const x = (ms: number): number => (ms / rows.lengthMs) * width

  for (const [at, { wave, fromMs, toMs }] of waveBands(rows).entries()) {
    context.fillStyle = colour(at % 2 === 0 ? 'band' : 'band-other')
    context.fillRect(x(fromMs), 0, Math.max(1, x(toMs) - x(fromMs)), HEIGHT)
    if (x(toMs) - x(fromMs) < 50) continue
    context.fillStyle = colour('muted')
    context.font = '11px system-ui, sans-serif'
    context.fillText(`wave ${wave}`, x(fromMs) + 4, 12)
  }
  for (const { offsetMs, waitedMs, inPlace } of rows.data.approvals) {
    if (offsetMs === null || !inPlace) continue
    context.fillStyle = colour('wait')
    context.fillRect(x(offsetMs - (waitedMs ?? 0)), 0, Math.max(2, x(waitedMs ?? 0)), HEIGHT)
  }
  bars(context, rows, width, colour)
  context.fillStyle = colour('shade')
  context.fillRect(0, 0, x(view.fromMs), HEIGHT)
  context.fillRect(x(view.toMs), 0, width - x(view.toMs), HEIGHT)
}

function bars(
  context: CanvasRenderingContext2D,
  rows: Rows,
  width: number,
  colour: (name: string) => string,
): void {
  const count = Math.ceil(width / BUCKET)
  const [reads, changes, trouble] = [
    new Int32Array(count + 1),
    new Int32Array(count + 1),
    new Int32Array(count + 1),
  ]
  const bucket = (ms: number): number =>
    Math.min(count - 1, Math.floor((ms / rows.lengthMs) * (width / BUCKET)))
  for (let at = 0; at < rows.count; at += 1) {
    const [from, to] = [bucket(rows.data.calls.at[at]!), bucket(rows.endMs(at))]
    const open = rows.kind(at) === 'read' ? reads : changes
    open[from]! += 1
    open[to + 1]! -= 1
    if (rows.isTrouble(at)) trouble[to]! += 1
  }
  let most = 1
  for (let i = 0, sum = 0; i < count; i += 1) most = Math.max(most, (sum += reads[i]! + changes[i]!))
  const room = HEIGHT - TROUBLE_HEIGHT - 18
  for (let i = 0, read = 0, change = 0; i < count; i += 1) {
    read += reads[i]!
    change += changes[i]!
    const base = HEIGHT - TROUBLE_HEIGHT - 1
    const changeHeight = (change / most) * room
    const readHeight = (read / most) * room
    context.fillStyle = colour('change')
    context.fillRect(i * BUCKET, base - changeHeight, BUCKET, changeHeight)
    context.fillStyle = colour('read')
    context.fillRect(i * BUCKET, base - changeHeight - readHeight, BUCKET, readHeight)
    if (trouble[i] === 0) continue
    context.fillStyle = colour('bad')
    context.fillRect(i * BUCKET, HEIGHT - TROUBLE_HEIGHT, BUCKET, TROUBLE_HEIGHT)
  }
}
