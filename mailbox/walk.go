package mailbox

// Walk calls f for each part of the mail in order, the containers before what they hold. Where f
// returns false, the parts inside that one are left out.
func (m *Message) Walk(f func(p *Part) bool) {
	if m.Root != nil {
		m.Root.walk(f)
	}
}

// walk is Walk from one part down.
func (part *Part) walk(f func(p *Part) bool) {
	if !f(part) {
		return
	}
	for _, child := range part.Parts {
		child.walk(f)
	}
}
