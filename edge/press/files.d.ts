/** What the bundler makes of a font: its bytes (the rule `Data` in wrangler.toml). */
declare module "*.woff" {
  const bytes: ArrayBuffer;
  export default bytes;
}
