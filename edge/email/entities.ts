/** Entities of HTML as the characters that they stand for. */

/** Those that e-mails are written with; the rest stays as it is. */
const NAMED: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{
      amp: "&",
      lt: "<",
      gt: ">",
      quot: '"',
      apos: "'",
      nbsp: "\u00a0",
      shy: "\u00ad",
      zwnj: "\u200c",
      zwj: "\u200d",
    },
    ...{
      ensp: "\u2002",
      emsp: "\u2003",
      thinsp: "\u2009",
      ndash: "–",
      mdash: "—",
      hellip: "…",
      bull: "•",
      middot: "·",
    },
    ...{ lsquo: "‘", rsquo: "’", sbquo: "‚", ldquo: "“", rdquo: "”", bdquo: "„", laquo: "«", raquo: "»" },
    ...{ lsaquo: "‹", rsaquo: "›", euro: "€", pound: "£", yen: "¥", cent: "¢", curren: "¤", sect: "§", para: "¶" },
    ...{ copy: "©", reg: "®", trade: "™", deg: "°", plusmn: "±", times: "×", divide: "÷", minus: "−", micro: "µ" },
    ...{ frac12: "½", frac14: "¼", frac34: "¾", sup1: "¹", sup2: "²", sup3: "³", iexcl: "¡", iquest: "¿", ordf: "ª" },
    ...{
      ordm: "º",
      larr: "←",
      uarr: "↑",
      rarr: "→",
      darr: "↓",
      harr: "↔",
      check: "✓",
      star: "☆",
      hearts: "♥",
      le: "≤",
    },
    ...{ ge: "≥", ne: "≠", asymp: "≈", infin: "∞", permil: "‰", dagger: "†", szlig: "ß" },
    ...{ Agrave: "À", Aacute: "Á", Acirc: "Â", Atilde: "Ã", Auml: "Ä", Aring: "Å", AElig: "Æ", Ccedil: "Ç" },
    ...{ Egrave: "È", Eacute: "É", Ecirc: "Ê", Euml: "Ë", Igrave: "Ì", Iacute: "Í", Icirc: "Î", Iuml: "Ï" },
    ...{ Ntilde: "Ñ", Ograve: "Ò", Oacute: "Ó", Ocirc: "Ô", Otilde: "Õ", Ouml: "Ö", Oslash: "Ø", OElig: "Œ" },
    ...{ Ugrave: "Ù", Uacute: "Ú", Ucirc: "Û", Uuml: "Ü", Yacute: "Ý", Scaron: "Š" },
    ...{ agrave: "à", aacute: "á", acirc: "â", atilde: "ã", auml: "ä", aring: "å", aelig: "æ", ccedil: "ç" },
    ...{ egrave: "è", eacute: "é", ecirc: "ê", euml: "ë", igrave: "ì", iacute: "í", icirc: "î", iuml: "ï" },
    ...{ ntilde: "ñ", ograve: "ò", oacute: "ó", ocirc: "ô", otilde: "õ", ouml: "ö", oslash: "ø", oelig: "œ" },
    ...{ ugrave: "ù", uacute: "ú", ucirc: "û", uuml: "ü", yacute: "ý", yuml: "ÿ", scaron: "š" },
  }),
);
const REPLACEMENT = "\ufffd";

export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|([a-z]\w{1,10}));/gi, (entity, hex, decimal, name) => {
    if (name) return NAMED.get(name) ?? entity;
    const code = hex ? Number.parseInt(hex, 16) : Number(decimal);
    const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : REPLACEMENT;
  });
}
