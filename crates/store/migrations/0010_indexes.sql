-- What names a user is found when the user goes, without a look at every channel and invite there is.
CREATE INDEX channels_by_creator ON channels (creator);
CREATE INDEX invites_by_inviter ON invites (inviter);
CREATE INDEX invites_by_user ON invites (user) WHERE user IS NOT NULL;
