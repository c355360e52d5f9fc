/** Home of the user `sprite`, in every sprite of every engine. */
export const SPRITE_HOME = '/home/sprite';
