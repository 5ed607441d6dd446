package mailbox

// Words is what the writer of a mail wrote themselves: without quoted text, signature,
// disclaimer and mobile tagline.
type Words struct {
	Text    string
	Certain bool   // false: where the own words end could not be told, so Text must not go out unseen
	Why     string // what the cut was made by, or why it is not certain
}
