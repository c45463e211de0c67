/** Loaded for a file that may name a socket. A file of its own: from a CommonJS package a bundler gives `import()` only the default. */
export { parse } from 'yaml';
