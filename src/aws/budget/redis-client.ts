/** Loaded by the hosts of a fleet alone. A file of its own: from a CommonJS package a bundler gives `import()` only the default. */
export { Redis } from 'ioredis';
