export async function readState(_url: string, _secret: string): Promise<string> {
  return "";
}
