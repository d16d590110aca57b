/** Confluent's errors: the code's first three digits are the HTTP status. */
export class RegistryError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const subjectNotFound = (subject: string) =>
  new RegistryError(40401, `Subject '${subject}' not found.`);
export const versionNotFound = (version: number) => new RegistryError(40402, `Version ${version} not found.`);
export const schemaNotFound = (id?: number) =>
  new RegistryError(40403, id === undefined ? "Schema not found" : `Schema ${id} not found`);
export const subjectSoftDeleted = (subject: string) =>
  new RegistryError(40404, `Subject '${subject}' was soft deleted.Set permanent=true to delete permanently`);
export const subjectNotSoftDeleted = (subject: string) =>
  new RegistryError(40405, `Subject '${subject}' was not deleted first before being permanently deleted`);
export const noSubjectLevel = (subject: string) =>
  new RegistryError(40408, `Subject '${subject}' does not have subject-level compatibility configured`);
export const incompatible = (subject: string, details: readonly string[]) =>
  new RegistryError(
    409,
    `Schema being registered is incompatible with an earlier schema for subject "${subject}", details: [${details.join(", ")}]`,
  );
export const invalidSchema = (why: string) => new RegistryError(42201, `Invalid schema: ${why}`);
export const invalidVersion = (version: string) =>
  new RegistryError(
    42202,
    `The specified version '${version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"`,
  );
export const invalidLevel = () =>
  new RegistryError(
    42203,
    "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive",
  );
export const invalidSubject = (subject: string) =>
  new RegistryError(42208, `The specified subject '${subject}' is not a valid.`);
export const storeFailed = (why: string) =>
  new RegistryError(50001, `Error in the backend data store: ${why}`);
