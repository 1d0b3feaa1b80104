/** Words around a secret that are not the secret, in the languages people ask in most. */

/** What comes between a name and its value: "the password is …", "auf … setzen". */
export const isConnector = (word: string): boolean => connectors.has(word);

/** The same, but as often something else: a value after it must look like one. */
export const isLooseConnector = (word: string): boolean => looseConnectors.has(word);

/** Whether a word, in lower case, is more likely prose or a RouterOS verb than a secret. */
export const isProse = (word: string): boolean =>
  connectors.has(word) || looseConnectors.has(word) || prose.has(word);

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

const connectors = words(
  "is to as was are be = : := -> => ist lautet auf zu est à es es: é è era это jest je är er on будет на naar into será sera becomes means equals",
);

const looseConnectors = words("a al en na in with mit con avec using use uses by en: met com");

const prose = words(
  `for of and or the an from at it its this that these those my your our his her their some any no not none
  should must can could may might will would shall does do did done has have had been being were am
  now then so if when while because but also too please again only just still already yet here there
  user users admin account accounts login logins log network networks wifi wi-fi wlan ssid router device server peer
  value values string strings field fields name names type length policy policies prompt hash file manager
  change changed changes changing set sets setting settings reset resets show shows view update updated
  add added adding print get find remove removed export enable disable disabled edit comment move unset where detail terse
  proplist list lists make give need needs needed want wants used unused required missing wrong incorrect
  invalid valid expired empty blank same different new old current default strong weak long longer short
  authentication authenticated protected protection auth failed failure fails mismatch error check
  connect connects connected access enter open reach know knows forgot forgotten lost work works working
  before after between without within about over under until since both each every all
  how what which who why whether via per edition forum
  für von vom der die das des dem den ein eine einen und oder nicht kein keine wurde wird werden soll sollte sein
  mein meine neue neues neuen neu bitte ändern geändert setzen setze zurücksetzen vergessen falsch im am bei benutzer
  de la le les du des un une pour et ou pas mon ma votre son sa nouveau nouvelle doit être changer utilisateur
  del el los las para por y o no mi tu su usuario nueva nuevo cambiar debe ser red
  do da dos das o os uma um e não meu minha novo nova usuário mudar
  для и или не мой новый пользователя пользователь сменить изменить
  dla użytkownika i lub nie nowe zmień van het een voor en of niet mijn nieuw gebruiker wijzig`,
);
