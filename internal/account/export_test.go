package account

// OccupyHasher takes every place for hashes, until release is called.
func (s *Service) OccupyHasher() (release func()) {
	for range cap(s.hasher.running) {
		s.hasher.running <- struct{}{}
	}
	return func() {
		for range cap(s.hasher.running) {
			<-s.hasher.running
		}
	}
}
