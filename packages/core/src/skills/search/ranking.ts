/** Every constant of the ranking in one place. How each was chosen: see its line. */

export const FIELDS = ['id', 'name', 'tags', 'description', 'intent', 'headings', 'body'] as const
export type Field = (typeof FIELDS)[number]

export const RANKING = {
  weights: { id: 1, name: 3, tags: 2, description: 2, intent: 2, headings: 0.5, body: 0.25 } as Record<
    Field,
    number
  >,
  lengthShare: {
    id: 0.3,
    name: 0.3,
    tags: 0.3,
    description: 0.5,
    intent: 0.5,
    headings: 0.7,
    body: 0.7,
  } as Record<Field, number>,
  saturation: 1.2,
  mentionShare: 0.3,
  coveragePower: 0.5,
  bodyCovers: 0.6,
  weak: 0.3,
  abbreviation: 0.9,
  synonym: 0.35,
  symptom: 0.5,
  repaired: 0.85,
  repairedTwice: 0.7,
  prefix: 0.5,
  joined: 0.9,
  massPower: 1,
  unknownMass: 1,
  fit: 0.0,
}
