/** The processor architectures that packages are made for, and what each package format calls them. */
export const ARCHITECTURES = ['x64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

export const DEBIAN_NAME: Readonly<Record<Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };
export const RPM_NAME: Readonly<Record<Architecture, string>> = { x64: 'x86_64', arm64: 'aarch64' };

export function hostArchitecture(): Architecture {
  const found = ARCHITECTURES.find((one) => one === process.arch);
  if (found === undefined) {
    throw new Error(`packages are made on x64 and arm64, not ${process.arch}`);
  }
  return found;
}
