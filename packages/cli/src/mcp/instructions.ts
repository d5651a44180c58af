/** What a client tells its model of this server. Codex shows the first 250 characters, so they stand alone. */

export const INSTRUCTIONS = [
  'For a job on many items or much data (pods, hosts, logs, rows), write ONE Python, Bash or JavaScript script and ' +
    'call run_script once: kubectl, aws, psql work inside it, and only summary(text) comes back. ' +
    'Do not loop over tool calls.',
  'find_skills first: a script composes skills, skill("k8s/health-check", ...) then skill("k8s/bulk-restart", ...), in ' +
    'one run. Python: from srecodex import skill, tool, each, once, may, progress, summary, artifact; JavaScript ' +
    'imports the same names and awaits them; in Bash they are commands. each(items, fn, key=str, at_once=8) works ' +
    'through many items in parallel and keeps a record of each; summary(text) says what returns.',
  'What a script would change becomes a plan (status planned) that a person approves; apply_plan makes exactly those ' +
    'changes. A run that failed half way goes on with resume_run; nothing is done twice. Raw output stays on disk: ' +
    'read_output finds lines in it. The script has no network and no credentials; its commands have the operator’s.',
  'Do not script one item, or a diagnosis in which each step depends on reading the last.',
].join('\n\n')
