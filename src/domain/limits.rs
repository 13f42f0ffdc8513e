//! Every bound of the system, with its unit and its reason. Not configuration: a change here is a
//! change of the product.

/// People in one breakout room. Talk falls apart above eight, and a phone cannot show more.
pub const ROOM_PEOPLE_MAX: usize = 8;

/// Other people a participant can receive at once: everybody else in a full breakout room. In a
/// fuller main room those who spoke last.
pub const SLOTS: usize = ROOM_PEOPLE_MAX - 1;

/// People with a seat in one session at one time. What one machine is meant to carry.
pub const SESSION_PEOPLE_MAX: usize = 300;

/// Seats ever given in one session: a bound on what a script that joins and leaves can cost.
pub const SESSION_SEATS_MAX: usize = 3_000;

/// Breakout rooms open at once: three hundred people in pairs.
pub const BREAKOUT_ROOMS_MAX: u16 = 150;

/// Facilitators' pages following one session at once.
pub const WATCHERS_MAX: usize = 20;

/// Sessions live in one process.
pub const SESSIONS_MAX: usize = 1_000;

/// Characters in a person's name. Long enough for real names with an organisation.
pub const NAME_CHARS_MAX: usize = 60;

/// Characters in a session's title.
pub const TITLE_CHARS_MAX: usize = 120;

/// Characters in one piece of transcribed speech; whisper gives at most 224 tokens.
pub const SEGMENT_CHARS_MAX: usize = 2_000;

/// How long a seat is kept for somebody whose connection died, in ms: time to reload a page, find
/// the charger, or walk from wireless to mobile.
pub const SEAT_GRACE_MS: u64 = 120_000;

/// Time to finish the sentence when a phase is over, in ms, before people are moved.
pub const PHASE_GRACE_MS: u64 = 10_000;

/// How long before the end of a phase its people are warned when nobody says otherwise, in ms.
pub const WARN_MS: u64 = 60_000;

/// Longest that a facilitator can make a phase by extending it, in ms.
pub const PHASE_MS_MAX: u64 = 12 * 3_600_000;

/// How long somebody whose companions have lost their connection stays alone in a room before they
/// are taken to others, in ms: a reload takes a few seconds.
pub const ALONE_MS: u64 = 15_000;

/// Who has been without a connection for this long is not counted on when new rooms are made, in ms.
pub const COUNTED_AWAY_MS: u64 = 20_000;

/// After a restart no phase ends sooner than this, in ms: people must be back before they are moved.
pub const RETURN_MS: u64 = 20_000;

/// How often a page's wish of what it sees is passed on, in ms; the last one always is. Pages send two
/// a second, and a window that is being resized would send sixty.
pub const VIEW_EVERY_MS: u64 = 250;

/// How often everybody is told how many are ready, and similar, in ms.
pub const STEP_EVERY_MS: u64 = 1_000;

/// What one person may write, score, take or go to in one phase: a bound on what a script can make
/// the log keep. Somebody who types all the time saves about every two seconds.
pub const ACTS_MAX: u32 = 2_000;

/// Characters in a note, a card, and what is put in place of a whole sheet at once.
pub const WRITTEN_CHARS_MAX: usize = 1_000;

/// Characters on one sheet: a page that a room reads at a glance, and that all rooms bring to all.
pub const SHEET_CHARS_MAX: usize = 2_000;

/// Bytes in one change of a sheet: a page pasted in, with what it takes the place of.
pub const TYPED_BYTES_MAX: usize = 12 * 1024;

/// Bytes of all changes of a sheet before it is laid out anew: what a page that comes has to take in.
pub const SHEET_HISTORY_BYTES_MAX: usize = 128 * 1024;

/// Pages that may write on a sheet before it is laid out anew: a reload is another page.
pub const SHEET_PAGES_MAX: usize = 200;

/// Changes of a sheet by one person in a stretch of [`POSTS_WITHIN_MS`]. Pages send two or three a
/// second.
pub const TYPED_PERSON_MAX: usize = 60;

/// Changes of one room's sheet in such a stretch; in rooms of more than eight, pages send less often.
pub const TYPED_ROOM_MAX: usize = 400;

/// Bytes of changes of sheets by one person in one phase, as the log keeps them: somebody who types for
/// an hour without a pause comes to half of it.
pub const TYPED_PHASE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What a change costs in the log beside its own bytes.
pub const TYPED_RECORD_BYTES: usize = 100;

/// A sheet is written down whole when nobody has changed it for so long, in ms.
pub const SHEET_QUIET_MS: u64 = 2_000;

/// And while somebody always does, this long after it was changed first, in ms.
pub const SHEET_WRITTEN_EVERY_MS: u64 = 15_000;

/// Characters in one post of a chat and in a broadcast: a thought, not a page.
pub const POST_CHARS_MAX: usize = 500;

/// Characters in one idea: a sentence or two, to be read at a glance beside others.
pub const IDEA_CHARS_MAX: usize = 300;

/// Ideas that one person writes or combines in one run of a method, those taken away included: a bound
/// on what a script can make the log keep.
pub const IDEAS_PERSON_MAX: usize = 40;

/// Ideas before one room: more nobody looks through.
pub const IDEAS_ROOM_MAX: usize = 100;

/// Ideas that are combined into one at once; what comes of it can be combined again.
pub const COMBINED_MAX: usize = 6;

/// Posts a room remembers for those who come; the oldest are forgotten first.
pub const POSTS_REMEMBERED: usize = 100;

/// The stretch in which posts, broadcasts and calls are counted, in ms.
pub const POSTS_WITHIN_MS: u64 = 10_000;

/// Posts of one person in such a stretch: nobody types more, a script would.
pub const POSTS_PERSON_MAX: usize = 5;

/// Posts of one room in such a stretch: as many as can be read.
pub const POSTS_ROOM_MAX: usize = 20;

/// Broadcasts of all facilitators together in such a stretch: each is told to everybody.
pub const BROADCASTS_MAX: usize = 3;

/// Calls for help of one person in such a stretch; each is written into the log.
pub const CALLS_MAX: usize = 3;

/// The stretch in which reactions are counted, in ms.
pub const REACTIONS_WITHIN_MS: u64 = 1_000;

/// Reactions of one person in such a stretch.
pub const REACTIONS_PERSON_MAX: usize = 1;

/// Reactions of one room in such a stretch: three hundred people clapping are heard in ten.
pub const REACTIONS_ROOM_MAX: usize = 10;

/// Characters in the question of a method, and in one topic.
pub const QUESTION_CHARS_MAX: usize = 300;

/// Topics of one method.
pub const TOPICS_MAX: usize = 30;

/// Characters in the words and names that a host wants to be heard rightly: some thirty of them. More
/// would cost time in every utterance, and crowd out what was said.
pub const GLOSSARY_CHARS_MAX: usize = 300;

/// Characters of all that the ears are told to expect: the glossary first, then what is talked about.
pub const EXPECTED_CHARS_MAX: usize = 400;

/// Tags of one person: organisation, role, region and the like.
pub const TAGS_MAX: usize = 5;

/// Characters in one tag.
pub const TAG_CHARS_MAX: usize = 60;

/// Wishes of a facilitator about who is kept together or apart, and who is kept where.
pub const MIXING_WISHES_MAX: usize = 500;

/// Marks that one person sets or takes back in a stretch of [`POSTS_WITHIN_MS`]: each is written into
/// the log, and a finger on a key that repeats is quicker than anybody marks.
pub const MARKS_PERSON_MAX: usize = 20;

/// Wishes of one person about what is kept of them in one session: more than anybody has lines, and a
/// bound on what a script can make the server read and write. Taking everything back is always granted.
pub const CHECKS_MAX: usize = 2_000;

/// Characters in the name of a theme on the board.
pub const THEME_CHARS_MAX: usize = 80;

/// Entries on one board: what a person can look through.
pub const BOARD_ENTRIES_MAX: usize = 1_000;

/// Characters in a comment of a reviewer.
pub const COMMENT_CHARS_MAX: usize = 1_000;

/// Comments that stand in one session at once: what a group that works through it can read.
pub const COMMENTS_MAX: usize = 1_000;

/// Characters in what somebody says in their own words of how a method worked.
pub const PILOT_LINE_CHARS_MAX: usize = 300;

/// People who must have said how a method worked before anything of it is shown: of two, each knows what
/// the other said.
pub const PILOT_ANSWERS_MIN: usize = 3;

/// Sessions searched at once, and so tokens in one request.
pub const SEARCH_SESSIONS_MAX: usize = 50;

/// How often facilitators are told of changes, in ms: fast enough to feel live, slow enough that
/// three hundred people joining at once are a handful of messages.
pub const OVERVIEW_EVERY_MS: u64 = 250;

/// How often a room of more than `ROOM_PEOPLE_MAX` people is told of changes in it, in ms: what is
/// told grows with the square of its people.
pub const BIG_ROOM_EVERY_MS: u64 = 1_000;

/// How often a room is told its balance while somebody speaks, in ms.
pub const BALANCE_EVERY_MS: u64 = 2_000;

/// How long people must have been together before a balance is shown, in ms: nobody is to watch it while
/// they begin to talk.
pub const BALANCE_AFTER_MS: u64 = 120_000;

/// How often facilitators are told of the balance of rooms, in ms.
pub const BALANCE_HOST_EVERY_MS: u64 = 5_000;

/// People in a room that is asked from whom it has not heard.
pub const INVITES_FROM: usize = 3;

/// Voice a room must have had before a balance is shown, in ms: a judgement on less is noise.
pub const BALANCE_VOICE_MIN_MS: u64 = 10_000;

/// Silence inside one person's voice that does not end it, in ms (dialogue practice: < 300 ms).
pub const VOICE_GAP_MS: u64 = 300;

/// Voice shorter than this is a cough or a click, in ms.
pub const VOICE_MIN_MS: u64 = 250;

/// So long somebody must be loud before audio levels count it as voice, in ms: a click is shorter.
pub const LEVEL_ONSET_MS: u64 = 60;

/// So long they must be quiet before levels say that a voice has ended, in ms: pauses in speech are
/// shorter.
pub const LEVEL_HANGOVER_MS: u64 = 500;

/// What levels say of somebody who is listened to counts for so long, in ms. Voice detection has found
/// it by then, as no utterance is longer than twelve seconds, or it was a keyboard.
pub const LEVEL_UNSURE_MS: u64 = 15_000;

/// A backchannel ("mhm") is at most this long, in ms, and wholly inside another's voice.
pub const BACKCHANNEL_MAX_MS: u64 = 1_000;

/// The other must go on for at least this long after a backchannel, in ms.
pub const BACKCHANNEL_AFTER_MS: u64 = 500;

/// The floor changes hands when somebody else has spoken alone for this long, in ms.
pub const TURN_ALONE_MS: u64 = 1_000;

/// Who speaks into another's turn has interrupted when the other stops within this, and they go on for
/// as long after it, in ms.
pub const INTERRUPTION_MS: u64 = 2_000;

/// Pieces of voice kept per person and room for the balance; the oldest are merged into a sum.
pub const VOICE_SPANS_MAX: usize = 2_000;

/// How far back a person can take back what they said, in ms.
pub const STRIKE_MS: u64 = 60_000;

/// How often a person can, in ms: each makes the log and the index rewrite what they hold.
pub const STRIKE_EVERY_MS: u64 = 1_000;

/// Moves remembered per person, to know where words that arrive late were said.
pub const MOVES_KEPT: usize = 64;

/// Bytes in one message from a page: an SDP answer with sixteen media lines is about 12 kB.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Bytes in the body of one HTTP request.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// Characters in one search query.
pub const QUERY_CHARS_MAX: usize = 200;

/// Search results on one page.
pub const SEARCH_RESULTS_MAX: usize = 50;

/// Tries without a right (a token that is none, a session opened without a key) of one network at once:
/// a house full of people with old links, or a class.
pub const STRANGER_TRIES_MAX: u64 = 120;

/// How often such a network may try after that, in ms.
pub const STRANGER_EVERY_MS: u64 = 2_000;

/// Networks of which it is remembered how often they have tried.
pub const STRANGER_NETWORKS_MAX: usize = 10_000;

/// Sockets of one network that have not said yet who they are: a full session behind one address, all
/// coming back at the same moment, and some more.
pub const STRANGER_SOCKETS_MAX: usize = 400;

/// Bytes of a token that somebody else has signed: a name, five tags and a signature are one kilobyte.
pub const TOKEN_BYTES_MAX: usize = 4_096;

/// How far away the end of such a token may be, in s: an event and its day.
pub const TOKEN_VALID_S_MAX: u64 = 24 * 3_600;

/// How long a one-time ticket can be used, in ms: until the frame has loaded.
pub const TICKET_VALID_MS: u64 = 60_000;

/// Tickets that wait to be used.
pub const TICKETS_MAX: usize = 10_000;

/// Requests of a tenant's server at once.
pub const API_AT_ONCE_MAX: u64 = 300;

/// How often such a server may ask after that, in ms.
pub const API_EVERY_MS: u64 = 100;

/// Sessions on one page of a list.
pub const API_PAGE_MAX: u32 = 100;

/// What has happened longer ago than this is not told to a tenant's server any more, in ms.
pub const WEBHOOK_AGE_MS_MAX: u64 = 24 * 3_600_000;
