/** What tests share: stand-ins, generators and launchers. Private. */

export {
  project,
  WITHOUT_BUBBLEWRAP,
  type Outcome,
  type Project,
  type ProjectOptions,
  type RunOptions,
} from './project.ts'
