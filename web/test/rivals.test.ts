// What integrators come from: every command and event of Whereby and of Jitsi stands in our table, and what the
// table names of ours is there. Their names are those of browser-sdk 3.30 and of the IFrame API of July 2026.
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import schema from "../embed/schema.json";

const WHEREBY = `endMeeting knock cancelKnock leaveRoom openSettings startRecording stopRecording startStreaming
  stopStreaming startLiveTranscription stopLiveTranscription toggleBreakout toggleCamera toggleMicrophone togglePeople
  toggleScreenshare toggleChat
  ready cancel_knock participantupdate join leave participant_join participant_leave meeting_end microphone_toggle
  camera_toggle chat_toggle people_toggle pip_toggle grant_device_permission deny_device_permission screenshare_toggle
  streaming_status_change recording_status_change transcription_status_change connection_status_change
  precall_check_skipped precall_check_completed`;
const JITSI = `displayName password toggleLobby sendTones startShareVideo stopShareVideo subject localSubject toggleAudio
  toggleVideo toggleFilmStrip toggleChat toggleRaiseHand toggleShareScreen setNoiseSuppressionEnabled toggleSubtitles
  toggleTileView hangup endConference email sendCameraFacingMode sendEndpointTextMessage setLargeVideoParticipant
  setVideoQuality muteEveryone muteRemoteParticipant startRecording stopRecording initiatePrivateChat cancelPrivateChat
  kickParticipant grantModerator overwriteConfig sendChatMessage setFollowMe setSubtitles setTileView
  answerKnockingParticipant toggleCamera toggleCameraMirror toggleVirtualBackgroundDialog pinParticipant
  setParticipantVolume toggleParticipantsPane toggleModeration askToUnmute approveVideo rejectParticipant addBreakoutRoom
  autoAssignToBreakoutRooms closeBreakoutRoom joinBreakoutRoom removeBreakoutRoom resizeFilmStrip resizeLargeVideo
  sendParticipantToRoom overwriteNames showNotification hideNotification toggleWhiteboard setAssumedBandwidthBps
  setBlurredBackground setAudioOnly setVirtualBackground setMeetingTimer
  cameraError avatarChanged audioAvailabilityChanged audioMuteStatusChanged breakoutRoomsUpdated browserSupport
  contentSharingParticipantsChanged customNotificationActionTriggered dataChannelOpened endpointTextMessageReceived
  nonParticipantMessageReceived faceLandmarkDetected errorOccurred knockingParticipant largeVideoChanged log micError
  screenSharingStatusChanged dominantSpeakerChanged raiseHandUpdated tileViewChanged chatUpdated incomingMessage
  mouseEnter mouseLeave mouseMove participantMenuButtonClick toolbarButtonClicked outgoingMessage displayNameChange
  deviceListChanged emailChange feedbackSubmitted fileDeleted fileUploaded filmstripDisplayChanged
  toolbarVisibilityChanged moderationStatusChanged moderationParticipantApproved moderationParticipantRejected
  notificationTriggered participantJoined participantKickedOut participantLeft participantRoleChanged
  participantsPaneToggled participantMuted passwordRequired videoConferenceJoined videoConferenceLeft
  conferenceCreatedTimestamp videoAvailabilityChanged videoMuteStatusChanged videoQualityChanged readyToClose
  recordingLinkAvailable recordingStatusChanged subjectChange suspendDetected peerConnectionFailure
  transcribingStatusChanged transcriptionChunkReceived whiteboardStatusChanged p2pStatusChanged audioOnlyChanged`;

const readme = fs.readFileSync(path.resolve(import.meta.dirname, "../embed/README.md"), "utf8");
const tables = readme.slice(readme.indexOf("## Coming from"), readme.indexOf("Only here:"));
const rows = tables.split("\n").flatMap((line) => {
  const [, theirs, ours] = /^\| (.+?) \| (.+) \|$/.exec(line) ?? [];
  return theirs && ours ? [{ theirs: quoted(theirs), ours: quoted(ours) }] : [];
});

test.each([
  ["Whereby", WHEREBY],
  ["Jitsi", JITSI],
])("each command and event of %s has a row", (_, names) => {
  const named = new Set(rows.flatMap((it) => it.theirs));
  expect(names.split(/\s+/).filter((it) => !named.has(it))).toEqual([]);
});

test("what the tables and the list below them name of ours is in the schema", () => {
  const { attributes, commands, events } = schema;
  const ours = new Set([attributes, commands, events].flatMap((it) => Object.keys(it)));
  const named = [...rows.flatMap((it) => it.ours), ...quoted(readme.slice(readme.indexOf("Only here:")))];
  expect(named.length).toBeGreaterThan(60);
  expect(named.filter((it) => !ours.has(it))).toEqual([]);
});

function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((it) => it[1] ?? "");
}
