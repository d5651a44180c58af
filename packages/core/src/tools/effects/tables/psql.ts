/** psql: its own flags, and the commands that begin with a backslash. Both closed. */

export const PSQL_FLAGS =
  'c/command= d/dbname= f/file= l/list v/set= variable= V/version X/no-psqlrc 1/single-transaction ?/help? a/echo-all b/echo-errors e/echo-queries E/echo-hidden L/log-file= n/no-readline o/output= q/quiet s/single-step S/single-line A/no-align csv F/field-separator= H/html P/pset= R/record-separator= t/tuples-only T/table-attr= x/expanded z/field-separator-zero 0/record-separator-zero h/host= p/port= U/username= w/no-password W/password'

/** Only the operator's `args` may say where to connect, and as whom. */
export const PSQL_IDENTITY: ReadonlySet<string> = new Set(['host', 'port', 'username'])

/** Backslash commands that look or format; each may stand in a script. `d` stands for all of its family. */
export const PSQL_COMMANDS: ReadonlySet<string> = new Set(
  'a C conninfo copyright crosstabview echo elif else encoding endif errverbose f g gdesc gx H h help if l l+ p pset q qecho r sf sf+ sv sv+ t T timing unset warn x z set ?'.split(
    ' ',
  ),
)

/** They only look: a call of nothing else is a read whatever the role may do. */
export const PSQL_LOOKS: ReadonlySet<string> = new Set(
  'conninfo copyright h help l l+ p sf sf+ sv sv+ z ? encoding errverbose timing x t a q pset echo qecho warn'.split(
    ' ',
  ),
)

/** Variables whose values psql runs or writes to. */
export const PSQL_REFUSED_VARIABLES: RegExp = /^(PROMPT[123]|HISTFILE|EDITOR|PSQL_.*)$/i
