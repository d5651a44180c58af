/** What differs from run to run, by its name: paths, ids, times, sizes of folders, versions. Pure. */

export function stable(text: string, places: Readonly<Record<string, string>>): string {
  let result = text
  for (const [name, path] of Object.entries(places)) result = result.replaceAll(path, name)
  return result
    .replaceAll(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, 'RUN')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: UTC|Z)/g, 'DATE')
    .replaceAll(/\b\d+(?:\.\d+)? m?s ago/g, 'AGE')
    .replaceAll(/\b\d+(?:\.\d+)? m?s\b/g, 'TIME')
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'SHA256')
    .replaceAll(/\bsha256 [0-9a-f]{12,}…/g, 'sha256 …')
}
