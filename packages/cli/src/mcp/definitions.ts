/** The eight tools as clients list them. Pure: what the operator allows decides only how honest an annotation must be. */

import type { Tool } from '@modelcontextprotocol/server'
import { DEFAULT_WAIT_SECONDS } from './limits.ts'
import {
  FOUND_SKILLS,
  object,
  OUTPUT_SLICE,
  RUN,
  RUN_REPORT,
  SAME_REPORT,
  SKILL_TEXT,
  type ObjectSchema,
} from './schemas.ts'

export const TOOL_NAMES = [
  ...(['find_skills', 'read_skill', 'run_script', 'run_status'] as const),
  ...(['apply_plan', 'resume_run', 'cancel_run', 'read_output'] as const),
] as const

export type ToolName = (typeof TOOL_NAMES)[number]

/** What of the config an annotation has to tell. */
export interface Allowed {
  /** A script may change things with no plan in between. */
  readonly changesWithoutPlan: boolean
  /** A script may reach hosts of its own choice, or any. */
  readonly network: boolean
}

const WAIT = {
  type: 'number',
  minimum: 0,
  maximum: 3600,
  description: `Seconds to wait for its end (default ${DEFAULT_WAIT_SECONDS}); then status is running.`,
} as const

const READS = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false }

interface Definition {
  readonly title: string
  readonly description: string
  readonly inputSchema: ObjectSchema
  readonly outputSchema: ObjectSchema
  readonly annotations: Required<Omit<NonNullable<Tool['annotations']>, 'title'>>
}

export const INPUTS: Readonly<Record<ToolName, ObjectSchema>> = {
  find_skills: object(
    {
      query: {
        type: 'string',
        minLength: 1,
        maxLength: 500,
        description: 'The task or symptom, in any words.',
      },
      limit: { type: 'integer', minimum: 1, maximum: 20, description: 'How many (default 5).' },
    },
    ['query'],
  ),
  read_skill: object(
    {
      id: { type: 'string', minLength: 1, maxLength: 200, description: 'Such as k8s/bulk-restart.' },
      offset: { type: 'integer', minimum: 0, description: 'Where to go on in a long text: nextOffset.' },
    },
    ['id'],
  ),
  run_script: object(
    {
      script: { type: 'string', description: 'The whole text of the program.' },
      language: { enum: ['python', 'shell', 'javascript'] },
      args: {
        type: 'array',
        items: { type: 'string', maxLength: 32_768 },
        maxItems: 1000,
        description: 'Its arguments.',
      },
      workspace: {
        type: 'string',
        minLength: 1,
        maxLength: 4096,
        description: 'Folder that it may write (default: the server’s own), in the project.',
      },
      timeoutSeconds: { type: 'number', exclusiveMinimum: 0, description: 'Of its own time.' },
      waitSeconds: WAIT,
      mutations: {
        enum: ['plan', 'allow', 'deny'],
        description: 'What becomes of changes; allow only where the operator lets clients say it.',
      },
    },
    ['script', 'language'],
  ),
  run_status: object(
    { run: RUN, waitSeconds: { ...WAIT, description: 'Seconds to wait for its end (default 0).' } },
    ['run'],
  ),
  apply_plan: object(
    { plan: RUN, reason: { type: 'string', maxLength: 500, description: 'Why; kept with the run.' } },
    ['plan'],
  ),
  resume_run: object(
    { run: RUN, script: { type: 'string', description: 'A mended script, in the language of the first.' } },
    ['run'],
  ),
  cancel_run: object({ run: RUN }),
  read_output: object(
    {
      run: RUN,
      stream: { enum: ['stdout', 'stderr'], description: 'Default stdout.' },
      grep: {
        type: 'string',
        maxLength: 1000,
        description: 'Only lines that match this regular expression.',
      },
      offset: { type: 'integer', description: 'Lines to skip; -20 begins 20 lines before the end.' },
      limit: { type: 'integer', minimum: 1, maximum: 1000, description: 'How many lines (default 50).' },
    },
    ['run'],
  ),
}

export function definitions(allowed: Allowed): Tool[] {
  const scripts = { readOnlyHint: false, idempotentHint: false, openWorldHint: allowed.network }
  const tools: Readonly<Record<ToolName, Omit<Definition, 'inputSchema'>>> = {
    find_skills: {
      title: 'Find skills',
      description:
        'Finds tested building blocks for a task, with typed signatures for use in a script: skill(id, ...). ' +
        'Ask once, before you write the script; not for what one command does. An empty list: write it without. ' +
        'A signature that ends in … is whole where limit is 1.',
      outputSchema: FOUND_SKILLS,
      annotations: READS,
    },
    read_skill: {
      title: 'Read a skill',
      description:
        'Reads how one skill is to be used. Not needed to call it from a script: find_skills gives its signature.',
      outputSchema: SKILL_TEXT,
      annotations: READS,
    },
    run_script: {
      title: 'Run a script',
      description:
        'Runs one script that does a whole job (many items, large data, several steps) in a sandbox and returns only ' +
        'its summary. Not for one item, nor for a diagnosis in which each step depends on reading the last. kubectl, ' +
        'aws, psql and the operator’s other tools work inside it as usual; in Python `from srecodex import skill, ' +
        'tool, each, summary`. Call summary(text) with the result; what it prints stays on disk (read_output). Changes ' +
        'are not made at once: status planned holds the plan for a person to approve (apply_plan). When you call it ' +
        'from code, begin that code with `// @exec: {"yield_time_ms": 300000}`.',
      outputSchema: RUN_REPORT,
      annotations: { ...scripts, destructiveHint: allowed.changesWithoutPlan },
    },
    run_status: {
      title: 'Status of a run',
      description:
        'Tells how a run stands, and waits for its end where asked to. Only for a run that run_script, apply_plan or ' +
        'resume_run returned as running; do not call it in a loop, give waitSeconds.',
      outputSchema: SAME_REPORT,
      annotations: READS,
    },
    apply_plan: {
      title: 'Apply a plan',
      description:
        'Makes the changes of a plan that a person approved, and no others. Only with a person’s consent; a plan is ' +
        'good once.',
      outputSchema: SAME_REPORT,
      // Again is as good as once: a plan that was used is refused.
      annotations: { ...scripts, destructiveHint: true, idempotentHint: true },
    },
    resume_run: {
      title: 'Resume a run',
      description:
        'Finishes a run that failed, timed out or was cancelled; what it did is not done again. Give a mended script ' +
        'only if the first one is at fault. Do not write a new script for the rest.',
      outputSchema: SAME_REPORT,
      annotations: { ...scripts, destructiveHint: true },
    },
    cancel_run: {
      title: 'Cancel a run',
      description: 'Ends a run that goes on. It can be resumed. Not needed for a run that has ended.',
      outputSchema: SAME_REPORT,
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
    },
    read_output: {
      title: 'Read output',
      description:
        'Finds a few lines in what a run printed, redacted. Use grep. Not for reading it all: let a script do that.',
      outputSchema: OUTPUT_SLICE,
      annotations: READS,
    },
  }
  return TOOL_NAMES.map(name => ({ name, inputSchema: INPUTS[name], ...tools[name] }) as Tool)
}
