//! Media: who hears and sees whom. `engine` is pure, `driver` touches the network.
