/** One line of libpq's password file. */
export interface PgpassEntry {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** The text of a password file with one entry, for PGPASSFILE. */
export const pgpassText = (entry: PgpassEntry): string => {
  const fields = [entry.host, String(entry.port), entry.database, entry.user, entry.password];
  if (fields.some((field) => /[\r\n\0]/.test(field)))
    throw new Error("a password file can't hold line ends or zero bytes");
  return `${fields.map((field) => field.replace(/[\\:]/g, "\\$&")).join(":")}\n`;
};

/**
 * The password in the first line of a password file.
 *
 * @throws when the line has not the five fields of one; never says what is in it
 */
export const passwordOf = (text: string): string => {
  const [line = ""] = text.split("\n");
  const fields = line.match(/(?:\\.|[^:\\])+/g) ?? [];
  const password = fields[4];
  if (fields.length !== 5 || password === undefined)
    throw new Error("the password file has not one line of host:port:database:user:password");
  return password.replace(/\\(.)/g, "$1");
};
