/**
 * Whether what was mounted in a workspace stands where it should.
 *
 * The script is alive while its tools run. It can exchange a folder of its workspace for a link between our look and
 * the mount, and bubblewrap follows links: a file that the script handed over would then cover a library, or a
 * config, of the tool. So where the workspace is shown, a first program inside compares each such mount with the
 * inode that was looked at and with the place that the kernel tells, and only then becomes the tool. There are as
 * many mounts as paths: where each path has one of its own, none lies elsewhere.
 */

import { statSync } from 'node:fs'
import { expectMounts } from '../../sandbox/mounts.ts'
import { contains } from '../../sandbox/workspace.ts'
import type { ToolProfile } from './profile.ts'

/** Becomes what follows `--`; or says `bwrap: TOKEN` and nothing starts. */
const VERIFY = `
my $token = shift; my %at;
open my $list, '<', '/proc/self/mountinfo' or die "bwrap: $token\\n";
while (<$list>) {
  my ($id, $place) = (split / /)[0, 4];
  $place =~ s/\\\\([0-7]{3})/chr oct $1/ge;
  $at{$place}{$id} = 1;
}
close $list;
while (@ARGV and (my $expected = shift) ne '--') {
  my $path = shift; my $id = '';
  if (sysopen my $file, $path, 0x200000) {
    my ($device, $inode) = stat $file;
    if ($expected eq '' or $expected eq "$device:$inode") {
      open my $facts, '<', '/proc/self/fdinfo/' . fileno $file or die "bwrap: $token\\n";
      while (<$facts>) { $id = $1 if /^mnt_id:\\s*(\\d+)/ }
    }
  }
  delete $at{$path}{$id} or die "bwrap: $token\\n";
}
exec { $ARGV[0] } @ARGV; exit 127
`

export interface Verification {
  /** Goes before the program. */
  readonly command: readonly string[]
  /** What it says instead of starting the program. */
  readonly refusal: string
}

/**
 * @param token nobody else would say it.
 * @returns null: no mount of this call lies where the script has a hand.
 * @throws {SrecodexError} SANDBOX_UNAVAILABLE, cause `workspace-changed`: a link stands there already.
 */
export function verifyMounts(profile: ToolProfile, token: string): Verification | null {
  const { workspace, files } = profile
  if (workspace.shown === 'hidden') return null
  const shown = files.filter(file => contains(workspace.path, file.path))
  const expected = [
    ...expectMounts(workspace.protected),
    ...workspace.hidden.map(path => ({ path, identity: null })),
    ...shown.map(file => ({ path: file.path, identity: identityOf(file.source) })),
  ]
  if (expected.length === 0) return null
  const words = expected.flatMap(mount => [mount.identity ?? '', mount.path])
  return {
    command: ['/usr/bin/perl', '-e', VERIFY, token, ...words, '--'],
    refusal: `bwrap: ${token}`,
  }
}

function identityOf(path: string): string {
  const stat = statSync(path, { bigint: true })
  return `${stat.dev}:${stat.ino}`
}
