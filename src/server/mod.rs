//! The edge: HTTP, WebSocket, tokens and the pages. Nothing here decides.

pub mod wire;
