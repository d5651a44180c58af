/** What tests share: stand-ins, generators and launchers. Private. */

export { project, type Outcome, type Project, type ProjectOptions, type RunOptions } from './project.ts'
