/** What the bundler makes of a font: its bytes (the rule `Data` in wrangler.toml). */
declare module "*.woff" {
  const bytes: ArrayBuffer;
  export default bytes;
}

/** The official compiler in one file. */
declare module "mjml-browser" {
  export default function toHtml(
    mjml: string,
    options: { fonts: { [name: string]: string } },
  ): Promise<{ html: string; errors: { line: number; message: string }[] }>;
}
