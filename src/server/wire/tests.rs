//! The pages know the same words, and words that nobody knows are refused.

use super::*;
use crate::domain::method::{
    Advance, Aim, Assign, Colour, Cycle, Harvest, People, Phase, Role, Scribe, Source, Text, Turns,
    Vote,
};
use std::{fmt::Write as _, fs, path::Path};

/// The types as the pages know them, in the order of the files.
fn typescript() -> String {
    let config = ts_rs::Config::new();
    let mut text = String::from(
        "// The words on the wire. Written by a test from `src/server/wire`; never by hand.\n",
    );
    macro_rules! declare {
        ($($type:ty),* $(,)?) => {
            $(writeln!(text, "\nexport {}", <$type>::decl(&config)).unwrap();)*
        };
    }
    declare!(
        ClientMessage,
        ServerMessage,
        Mids,
        WireRelays,
        SendMids,
        WireWanted,
        WireLanguage,
        WireConsent,
        WireWriting,
        WireRoomBalance,
        WirePerson,
        WireRoom,
        WireCall,
        WireWaiting,
        WirePost,
        WireReaction,
        WireMark,
        WireCaption,
        WireKeep,
        WireKept,
        WireRun,
        WirePlace,
        WireStep,
        WireTurn,
        WireStage,
        WireIdea,
        WireSource,
        WireName,
        WireVote,
        WireMoveReason,
        WireLine,
        WireCard,
        Method,
        Text,
        Aim,
        People,
        Source,
        Role,
        Cycle,
        Phase,
        Assign,
        Turns,
        Harvest,
        Scribe,
        Vote,
        Advance,
        Colour,
        MethodList,
        PlanRequest,
        Plan,
        PlanStep,
        MethodChecked,
        MethodFault,
        Transcription,
        NewSession,
        SessionCreated,
        Admission,
        Admitted,
        WireRole,
        WireGrant,
        ServerStatus,
        SessionAbout,
        PersonAbout,
        SearchQuery,
        SearchRequest,
        WireKind,
        PhaseOfMethod,
        SearchAnswer,
        SearchCounts,
        SessionOutline,
        OutlineRun,
        OutlinePhase,
        OutlinePerson,
        OutlineStep,
        OutlineRoom,
        BoardTheme,
        CommentAbout,
        NewComment,
        WireLevel,
        PilotWish,
        PilotAbout,
        PilotTold,
        PastRequest,
        PastSessions,
        PastSession,
        PastMethod,
        Collect,
        EntryRequest,
        EntryAbout,
        SearchHit,
        TextPart,
        ExportQuery,
        AccessList,
        AccessAbout,
        CheckLink,
        OwnWords,
        OwnLine,
        CheckWish,
        ErrorBody,
    );
    text
}

#[test]
fn the_pages_know_the_same_words() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/src/wire/wire.ts");
    let (written, kept) = (typescript(), fs::read_to_string(&path).unwrap_or_default());
    if written != kept {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, written).unwrap();
        panic!("web/src/wire/wire.ts was stale and has been written anew: commit it");
    }
}

#[test]
fn messages_with_unknown_words_are_refused() {
    let read = |text| serde_json::from_str::<ClientMessage>(text).is_ok();
    assert!(read(r#"{"type":"set-microphone","on":true}"#));
    assert!(!read(r#"{"type":"set-microphone","on":true,"loud":1}"#));
    assert!(read(r#"{"type":"view","slots":["nothing","small","medium","large"]}"#));
    assert!(read(r#"{"type":"view","slots":[],"screen":"large"}"#));
    assert!(!read(r#"{"type":"view","slots":["huge"]}"#));
    assert!(!read(r#"{"type":"become-host"}"#));
    assert!(!read(r#"{"type":"move","participant":-1,"room":"main"}"#));
    assert!(read(r#"{"type":"follow","room":null}"#));
    assert!(!read("[]"));
}
