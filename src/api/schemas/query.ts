/** Query parameters as values: what comes is text. */
import { z } from 'zod';

const TRUE = ['true', '1', ''];

/** Present without a value counts as true; absent as false. */
export const flag = z
  .enum(['true', 'false', '1', '0', ''])
  .default('false')
  .transform((text) => TRUE.includes(text));

export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,16}$/, 'it is not a whole number')
    .transform(Number)
    .refine((number) => number >= min && number <= max, `it is not between ${min} and ${max}`);
}
