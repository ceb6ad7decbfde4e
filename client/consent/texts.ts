/** What the banner says, by language. */
export interface Texts {
  title: string;
  text: string;
  accept: string;
  reject: string;
  /** Opens the details. */
  choose: string;
  save: string;
  close: string;
  privacy: string;
  necessary: string;
  analytics: string;
  personalization: string;
  marketing: string;
  /** Beside marketing where the browser sends Global Privacy Control. */
  refused: string;
}

const en: Texts = {
  title: "Your privacy",
  text: "May we remember your visit, to understand how this site is used and to show you what fits you? You can change this at any time.",
  accept: "Accept all",
  reject: "Reject all",
  choose: "Choose in detail",
  save: "Save choice",
  close: "Close",
  privacy: "Privacy policy",
  necessary: "Necessary: remembers this choice",
  analytics: "Statistics: how the site is used",
  personalization: "Personalization: content that fits you",
  marketing: "Marketing: also outside this site",
  refused: "your browser says no",
};

export const TEXTS: { [language: string]: Texts } = {
  en,
  de: {
    title: "Ihre Privatsphäre",
    text: "Dürfen wir uns Ihren Besuch merken, um zu verstehen, wie diese Seite genutzt wird, und Ihnen Passendes zu zeigen? Sie können das jederzeit ändern.",
    accept: "Alle annehmen",
    reject: "Alle ablehnen",
    choose: "Einzeln auswählen",
    save: "Auswahl speichern",
    close: "Schließen",
    privacy: "Datenschutz",
    necessary: "Notwendig: merkt sich diese Auswahl",
    analytics: "Statistik: wie die Seite genutzt wird",
    personalization: "Personalisierung: Inhalte, die zu Ihnen passen",
    marketing: "Marketing: auch außerhalb dieser Seite",
    refused: "Ihr Browser sagt nein",
  },
  fr: {
    title: "Votre vie privée",
    text: "Pouvons-nous garder en mémoire votre visite, pour comprendre l’usage du site et vous montrer ce qui vous convient ? Vous pouvez changer d’avis à tout moment.",
    accept: "Tout accepter",
    reject: "Tout refuser",
    choose: "Choisir en détail",
    save: "Enregistrer le choix",
    close: "Fermer",
    privacy: "Confidentialité",
    necessary: "Nécessaire : retient ce choix",
    analytics: "Statistiques : l’usage du site",
    personalization: "Personnalisation : des contenus qui vous conviennent",
    marketing: "Marketing : aussi hors de ce site",
    refused: "votre navigateur refuse",
  },
  es: {
    title: "Tu privacidad",
    text: "¿Podemos recordar tu visita, para entender cómo se usa el sitio y mostrarte lo que te conviene? Puedes cambiarlo en cualquier momento.",
    accept: "Aceptar todo",
    reject: "Rechazar todo",
    choose: "Elegir en detalle",
    save: "Guardar la elección",
    close: "Cerrar",
    privacy: "Privacidad",
    necessary: "Necesario: recuerda esta elección",
    analytics: "Estadísticas: cómo se usa el sitio",
    personalization: "Personalización: contenido a tu medida",
    marketing: "Marketing: también fuera de este sitio",
    refused: "tu navegador dice que no",
  },
};
