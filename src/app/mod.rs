//! The shell: ties media, speech and notes to the rules; owns clocks, tasks and configuration.
