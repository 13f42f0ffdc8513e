//! Every bound and threshold of speech, with its unit and its reason. Not configuration.

/// Samples per second of everything after the Opus decoder: what whisper and the VAD were trained on.
pub const RATE_HZ: u32 = 16_000;

/// Samples per millisecond at [`RATE_HZ`].
pub const SAMPLES_PER_MS: usize = 16;

/// Ticks per millisecond of the RTP clock of Opus, which is 48 kHz whatever was recorded (RFC 7587).
pub const TICKS_PER_MS: u64 = 48;

/// Samples in one frame of the VAD: earshot takes exactly 256.
pub const FRAME_SAMPLES: usize = 256;

/// Length of one frame of the VAD, in ms.
pub const FRAME_MS: u64 = 16;

/// Packets held back while one before them is missing: 60 ms of the usual 20 ms packets. Nobody hears
/// this path, so it may wait longer than a loudspeaker, but captions should not.
pub const REORDER_PACKETS_MAX: usize = 3;

/// How long a packet is held back while one before it is missing, in ms.
pub const REORDER_MS_MAX: u64 = 60;

/// A jump of sequence numbers beyond this is a new start, not a loss: 10 s of 20 ms packets.
pub const SEQUENCE_JUMP_MAX: u64 = 500;

/// So many packets in a row that are all too late are a new start with lower numbers: 1 s.
pub const LATE_RUN_MAX: u32 = 50;

/// How far the RTP clock may be from the arrival before it is set anew, in ms: more than any jitter
/// a call survives, less than what would put words into the wrong round.
pub const CLOCK_SLIP_MS_MAX: u64 = 500;

/// Lost packets that the decoder makes up; beyond them its guess is a drone and silence is honest.
pub const CONCEALED_PACKETS_MAX: u32 = 5;

/// Holes in the audio up to this are filled with silence so that an utterance lives through them,
/// in ms; at a longer one the utterance ends. Above [`HANGOVER_MS`], so that a hole never sounds
/// shorter than it was.
pub const HOLE_MS_MAX: u64 = 1_000;

/// Without a packet for this long the person is taken as silent and the utterance ends, in ms: the
/// hangover, and what a bad network holds back.
pub const IDLE_MS: u64 = 700;

/// Packets of one person waiting to be decoded: 2 s. More means that the ears do not keep up.
pub const WAITING_PACKETS_MAX: usize = 100;

/// Bytes in one Opus packet that are looked at (RFC 6716: 1275 per frame; the rest is no speech).
pub const PACKET_BYTES_MAX: usize = 1_500;

/// VAD probability from which a frame may open an utterance.
///
/// Measured with earshot on jfk and the ten clips of Debian's pocketsphinx-testdata: 48 to 92 % of the
/// frames reach it, and 41 to 90 % still do when the clip is made 30 dB quieter, so nothing is
/// gained by levelling people's voices first; at 40 dB quieter some clips are lost.
pub const OPEN_PROBABILITY: f32 = 0.5;

/// VAD probability from which a frame keeps an utterance open.
///
/// Measured as [`OPEN_PROBABILITY`]: the pauses of these clips lie between 0.1 and 0.36, weak ends of
/// words above 0.4. At 0.3 room noise alone kept utterances open.
pub const KEEP_PROBABILITY: f32 = 0.4;

/// By how much a frame must be louder than its room to be anybody's voice, in dB.
///
/// Measured on 182 microphones of two minutes such as `scripts/bench speech --part voices` makes, a third with
/// drop-outs: without this the talk time of people at least 15 dB above their room was within 5 % for 90 % of them and
/// up to 94 % off, as the VAD held on to the lifted room; with 3 to 5 dB for 97 %, and at most 7 % off. 6 dB take soft
/// ends away.
pub const FLOOR_MARGIN_DB: f32 = 4.0;

/// Frames over which a room's level is smoothed before its least is taken: 64 ms.
pub const FLOOR_SMOOTHED_FRAMES: usize = 4;

/// Frames in which the least is looked for: 3 s, in which people take breath.
pub const FLOOR_WITHIN_FRAMES: u64 = 188;

/// Before [`FLOOR_WITHIN_FRAMES`] were heard no room is taken for louder than this, in dBFS: what is may be somebody who
/// answers at once, in a room that is not heard.
pub const FLOOR_FIRST_DBFS_MAX: f32 = -45.0;

/// For so many frames what stood out of the room still does: 192 ms. With 112 ms one in six
/// was more than 5 % short.
pub const STANDS_OUT_FRAMES: usize = 12;

/// So much below the loudest frame of an utterance the sound of its voices begins and ends, in dB.
///
/// Measured on the frames of 60 conversations of `scripts/bench speech --part conversations` (without drop-outs
/// and DTX), 1,685 spans whose begin and end are known, by a model of this outside of it: the VAD's own edges are
/// 24 ms late (up to 200, at soft beginnings) and, 112 ms taken off, 15 ms early to 86 late. The sound's are 8 and
/// 9 ms late (-3 to 24, -6 to 21; 95 of a hundred), with 22 to 30 dB much the same; at 20 dB soft ends begin to be
/// lost.
pub const SOUND_DB: f32 = 28.0;

/// A voice may have begun so long before the VAD is sure of it, in ms. With 224 ms breaths begin to be
/// taken for voice (measured as [`SOUND_DB`]).
pub const EARLY_MS: u64 = 160;

/// The VAD may hold on to a voice so long after its sound has ended, in ms: mostly 84 to 216, at most
/// 292, on 34 spans through Opus.
pub const TRAIL_MS: u64 = 208;

/// Frames in a row at [`OPEN_PROBABILITY`] that open an utterance: 48 ms. Clicks are shorter.
pub const ONSET_FRAMES: usize = 3;

/// Audio kept from before the onset, in ms: soft consonants come before the voice.
pub const PREFILL_MS: u64 = 240;

/// Silence that ends an utterance, in ms.
pub const HANGOVER_MS: u64 = 480;

/// Silence that ends an utterance which is already [`LONG_MS`] long, in ms: a breath is enough then,
/// so that the longest length is hardly ever reached in the middle of a word.
pub const HANGOVER_LONG_MS: u64 = 208;

/// From this length an utterance ends at the next short silence, in ms.
pub const LONG_MS: u64 = 6_000;

/// Audio kept after the last voice of an utterance, in ms: words fade out.
pub const TAIL_MS: u64 = 208;

/// The longest utterance, in ms. Captions should come while the talk goes on, and whisper's cost and
/// its loops grow with length.
pub const UTTERANCE_MS_MAX: u64 = 12_000;

/// A forced cut is looked for in this last part of the longest utterance, in ms.
pub const CUT_WITHIN_MS: u64 = 6_000;

/// A forced cut leaves at least this much to the next utterance, in ms: whisper needs context.
pub const CUT_LEAVES_MS: u64 = 1_000;

/// Where a forced cut finds no silence, the next utterance begins with so much of the last, in ms: the
/// longest words of everyday speech are in one of the two whole.
pub const OVERLAP_MS: u64 = 640;

/// Voice below which the rest after a forced cut is not worth a try, in ms.
pub const REST_VOICE_MS_MIN: u64 = 64;

/// Voice after which what is being said is read again before its end, in ms: with the time to read
/// it, a word stands on the page less than a second after it was spoken.
pub const DRAFT_EVERY_MS: u64 = 800;

/// After so long a draft is not worth to be read any more, in ms: a newer one is there.
pub const DRAFT_DUE_MS: u64 = 1_000;

/// A draft that would take longer to be read is left, in ms: it is old when it is there, and what ends
/// meanwhile waits for it. Not one that may be whole.
pub const DRAFT_READ_MS_MAX: u64 = 1_000;

/// When the words of an utterance should be there, in ms after its last voice.
pub const FINAL_DUE_MS: u64 = 1_000;

/// Audio of drafts that may wait, over all speakers, in seconds: eight megabytes. More people than that
/// at once, and nobody could read them before they are old.
pub const DRAFTS_S_MAX: u64 = 120;

/// What whisper is given at least, in ms; shorter audio is filled with silence.
pub const WHISPER_MS_MIN: u64 = 1_100;

/// Context units per second of audio of whisper's encoder; 1500 for its 30 s.
pub const CONTEXT_UNITS_PER_S: u64 = 50;

/// Context units of the whole 30 s.
pub const CONTEXT_FULL: u32 = 1_500;

/// Context units beyond the audio.
///
/// Measured on jfk and the ten clips of pocketsphinx-testdata (45 s, 114 words, two of them not as the
/// reference has them): words right with all the context of whole clips 111 (tiny) and 108 (base); with
/// it cut 110 and 108; cut into utterances by the whole path 110 and 107. A margin of 128 gave the
/// same counts as 64. Time of the path against all the context, on a busy machine: 1 to 4.8 and 5.6.
pub const CONTEXT_MARGIN: u64 = 64;

/// Context units beyond the audio in a second try.
///
/// Measured with tiny on eleven minutes of talks (1,224 words; 15 of 146 utterances are tried again, nearly
/// all for a loop): 50 words wrong with this, with 320 and with all the context at rising temperatures,
/// where the second tries took 9.6, 14.9 and 26.7 s beside some 60 s of the first.
pub const CONTEXT_MARGIN_WIDER: u64 = 192;

/// The context is rounded up to a multiple of this. It widens the margin: with 16 tiny has 78 of 1,224 words wrong
/// and not 53; with 16 and a margin of 96, 51, at no less cost.
pub const CONTEXT_STEP: u64 = 64;

/// Audio waiting for a whisper worker, over all speakers, in seconds, unless configured otherwise:
/// what a machine of base model and two workers writes down in some ten seconds.
pub const BACKLOG_S_MAX: u64 = 120;

/// Tokens whisper may write per second of audio; fast Finnish needs about eight.
pub const TOKENS_PER_S_MAX: u64 = 20;

/// Characters of a prompt that are looked at.
pub const PROMPT_CHARS_MAX: usize = 400;

/// Tokens of a prompt given to whisper. It would keep 224; each costs time in every utterance, and the
/// more there are the likelier they are said by nobody.
pub const PROMPT_TOKENS_MAX: usize = 96;
