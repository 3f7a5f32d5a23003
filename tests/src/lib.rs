//! The cast, the stories and the benches of the whole system.
