/** The end of an exhaustive switch: does not compile while a case is missing, throws if one arrives all the same. */
export const unreachable = (value: never): never => {
  throw new Error(`unexpected case: ${JSON.stringify(value)}`);
};
