/** The bill of materials of each architecture: what CycloneDX 1.5 asks for, and what is in that package. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ARCHITECTURES } from '../../systemd/package/architecture.ts';
import { bundle } from '../../systemd/package/bundle.ts';
import { sbomOf } from '../../systemd/package/sbom.ts';

/** Of https://cyclonedx.org/docs/1.5/json/ the objects and fields that this document has, and no others. */
const license = z.union([
  z.strictObject({ license: z.strictObject({ id: z.string().regex(/^[\w.-]+$/) }) }),
  z.strictObject({ expression: z.string().min(1) }),
]);
const contained = z.strictObject({
  type: z.literal('library'),
  'bom-ref': z.string().min(1),
  name: z.string().min(1),
  version: z.string().min(1),
});
const component = contained.extend({
  type: z.enum(['application', 'library', 'platform']),
  purl: z
    .string()
    .regex(/^pkg:(?:npm\/(?:%40[\w.-]+\/)?[\w.-]+|generic\/[\w-]+)@[\w.+-]+(?:\?[\w=&.-]+)?$/),
  licenses: z.array(license).min(1),
  hashes: z
    .array(
      z.strictObject({ alg: z.literal('SHA-512'), content: z.string().regex(/^[0-9a-f]{128}$/) }),
    )
    .optional(),
  components: z.array(contained).min(1).optional(),
});
const document = z.strictObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.5'),
  serialNumber: z
    .string()
    .regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/),
  version: z.literal(1),
  metadata: z.strictObject({ timestamp: z.iso.datetime(), component }),
  components: z.array(component).min(10),
  dependencies: z.array(
    z.strictObject({ ref: z.string(), dependsOn: z.array(z.string()).optional() }),
  ),
});

const work = mkdtempSync(join(tmpdir(), 'sbom-test-'));
let packages: readonly string[];
beforeAll(async () => {
  ({ packages } = await bundle(join(work, 'app'), '9.0.1'));
});
afterAll(() => rmSync(work, { recursive: true }));

const textFor = (architecture: (typeof ARCHITECTURES)[number]): string =>
  sbomOf(packages, {
    ...{ version: '9.0.1', architecture, epochS: 1_700_000_000 },
    ...{ isFast: true, outputDirectory: work },
  });

test.each(ARCHITECTURES)('%s: every object is as the format has it', (architecture) => {
  const text = textFor(architecture);
  const sbom = document.parse(JSON.parse(text));
  expect(textFor(architecture)).toBe(text);
  expect(sbom.metadata.timestamp).toBe('2023-11-14T22:13:20Z');
  const references = [sbom.metadata.component, ...sbom.components].map((one) => one['bom-ref']);
  expect(new Set(references).size).toBe(references.length);
  expect(sbom.dependencies.map(({ ref }) => ref).toSorted()).toEqual(references.toSorted());
  expect(sbom.dependencies[0]?.dependsOn?.toSorted()).toEqual(references.slice(1).toSorted());
  // Whatever comes from the registry has the hash that the lock file has.
  const without = sbom.components.filter(
    ({ hashes, purl }) => purl.startsWith('pkg:npm/') && hashes === undefined,
  );
  expect(without).toEqual([]);
});

test.each(ARCHITECTURES)('%s: Node.js and koffi are those of the architecture', (architecture) => {
  const { components, metadata } = document.parse(JSON.parse(textFor(architecture)));
  const named = (pattern: RegExp): string[] =>
    components.map(({ name }) => name).filter((name) => pattern.test(name));
  expect(named(/koffi/)).toEqual([`@koromix/koffi-linux-${architecture}`, 'koffi']);
  expect(metadata.component.purl).toContain(`arch=${architecture}`);
  expect(components.find(({ name }) => name === 'node')?.purl).toContain(`arch=${architecture}`);
});
