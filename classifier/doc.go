// Package classifier judges one mail: in which language it is written, what it asks for (its
// type), what it is about (its theme), which organisational themes it touches, and whether a
// rule says that it makes no case. Every judgement carries its reasons in short English, with
// the citizen's own spelling, so that a supervisor can see why and an admin can mend the YAML.
//
// The package is pure: no network, no clock, no files but the weights of the language detector,
// which are embedded. A Classifier is made once for each config, is never changed, and may be
// used by many goroutines.
//
// # Words
//
// A text is first folded: lower case, marks stripped (à, ç, ñ lose theirs), typographic
// apostrophes made plain, l·l and ŀl made ll. A word is a run of letters and digits of the folded
// text; an apostrophe or a hyphen ends it, so d'ocupació is two words.
//
// Rules and keywords share one way of writing what to look for:
//
//	fiança              the word
//	grau de dependència the phrase
//	padr*               every word that begins so; alone or in a phrase
//	/exp\. ?\d{4}/      in rules only: an RE2 over the folded text (lower case, no marks, line
//	                    breaks kept), in which case, marks and the flags i and m need no mention
//
// A rule finds only what it says. A keyword of a theme is also found in its other number or gender
// (beca finds beques), and with other articles and prepositions inside the phrase (ajut al lloguer
// finds ajuts de lloguer).
//
// # Rules
//
// Rules are tried in their order. The first that holds and sets the type, the theme or ignore
// wins for that field; the organisational themes of all that hold are added up.
//
// # Theme
//
// A rule's theme is taken as said, with confidence 1. Otherwise each theme gathers the evidence
// of its keywords: in the subject twice that in the text, a phrase more than a word, a second
// occurrence half the first, a word inside a longer keyword little, a keyword of another language
// than the mail's somewhat less. Evidence for a theme is evidence for the themes above it.
// The contest is between themes of level 2: the confidence grows with the evidence of the best and
// shrinks with that of the second best. Below the mailbox's threshold the classifier abstains: no
// confident match is an answer, and a person files the case. Level 3 is given when one
// of the themes below the winner is clearly meant, else the path stops at level 2.
//
// # Language
//
// A multinomial logistic regression over hashed character n-grams (model.go) tells Catalan,
// Spanish, Aranese and English apart, and from languages that are none of ours. TrainLanguage
// makes its weights from sentences; those embedded are made by
//
//	go test ./classifier -run TestTrainLanguage -train=DIR
//
// where DIR holds one file of sentences for each language.
package classifier
