/** An intersection as one object type: the same fields, in a form that an error message can show. */
export type Flat<Fields> = { [Key in keyof Fields]: Fields[Key] } & {};
