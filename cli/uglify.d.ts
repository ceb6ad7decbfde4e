/** What the build uses of UglifyJS, which has no types of its own. */
declare module "uglify-js" {
  export function minify(code: string, options: object): { code: string; error?: Error };
}
