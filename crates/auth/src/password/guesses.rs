/// Whether everybody tries this password first, in small letters or with digits and marks at its end.
pub(super) fn contains(folded: &str) -> bool {
    let stem = folded.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    let is_listed = |text: &str| COMMON.split_ascii_whitespace().any(|common| common == text);
    is_run(folded) || is_listed(folded) || is_listed(stem)
}

/// `aaaaaaaa`, `abcdefgh`, `87654321`: each character follows the one before in the same way.
fn is_run(text: &str) -> bool {
    let steps = text
        .chars()
        .zip(text.chars().skip(1))
        .map(|(one, next)| i64::from(u32::from(next)) - i64::from(u32::from(one)));
    [-1, 0, 1].iter().any(|step| steps.clone().all(|other| other == *step))
}

/// Of the passwords that leaks are full of, those with eight characters or more; shorter ones are refused anyway.
const COMMON: &str = "
00000000 0123456789 0987654321 11111111 11223344 12121212 123123123 12341234 12344321 123456789 1234567890
12345678910 123456789a 12345678a 123456abc 1234abcd 1234qwer 123654789 123abc123 123qwe123 123qweasd
13131313 147258369 147852369 18436572 19871987 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc
1qazxsw2 20202020 21436587 22446688 24682468 55667788 66778899 789456123 87654321 88888888 98765432
987654321 9876543210 99887766 a1b2c3d4 a1b2c3d4e5 aa123456 aa12345678 abc12345 abc123456 abcabc123 abcd1234
abcdefg1 abcdefgh abcdefghi access14 adgjmptw admin123 adminadmin administrator airplane alejandra alexander
alexandra anderson antonio1 apples123 arsenal1 asd123456 asdasd123 asdasdasd asdf1234 asdfasdf asdfghjk
asdfghjkl asdfjkl; babygirl babygirl1 backdoor barcelona baseball baseball1 basketball bigdaddy blahblah
blink182 bluebird brooklyn butterfly calvin123 carolina catherine challenge champion changeit changeme
charlie1 chelsea1 chocolate christian christina christine cocacola computer computer1 consumer control1
correcthorsebatterystaple courtney creative cricket1 daniel123 darkness dearbook december default1 demo1234
diamond1 dolphins dragon123 dragonball drowssap einstein electric elephant elizabeth evolution explorer
facebook fernando firebird firebird1 flower123 football football! football1 football123 forever1 forgetit
franklin freedom1 friends1 fuckyou1 fuckyou123 fuckyou2 gangster gateway1 gfhjkmgfhjkm giovanni goodluck
google123 greatest green123 guest123 hallo123 hannover hardcore heather1 hello123 hello1234 helloworld
hercules homework hotmail1 hunter123 iloveu123 iloveyou iloveyou1 iloveyou123 iloveyou2 infinity internet
internet1 isabella jackson1 jennifer jennifer1 jessica1 jesus123 jonathan jordan23 justin123 kawasaki
killer123 kimberly lakers24 leonardo letmein! letmein1 letmein123 letmeinnow liverpool liverpool1 login123
lovelove loveyou1 macintosh madison1 manchester margarita marlboro marseille master123 masterkey matthew1
maverick maxwell1 melanie1 mercedes metallica michael1 michelle midnight minecraft monkey123 montreal
mountain mustang1 myspace1 natasha1 nathan123 newpassword newyork1 nicholas nicole123 nintendo nothing1
november oblivion ohmygod1 olivia123 opensesame operator p@$$w0rd p@ssw0rd p@ssword pa$$w0rd pa55word
paradise passpass passport passw0rd passw0rd1 password password1 password12 password123 password1234
passwort passwort1 patricia pavilion peanut123 phoenix1 pineapple platinum pokemon1 portugal precious
princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsx123 qazwsxedc qazxswedc qq123456 qwaszx12 qweasd123 qweasdzxc
qweqweqwe qwer1234 qwerasdf qwert123 qwert12345 qwerty!@# qwerty12 qwerty123 qwerty1234 qwerty12345 qwertyui
qwertyuiop rainbow1 raspberry ravens52 realmadrid rockstar rolltide ronaldo7 roomkey1 rootroot samantha
samsung1 santiago saturday scarface scorpion secret123 secretsecret security senha123 september shadow123
shannon1 sinclair skywalker snickers snowball software solution something spiderman squirrel starwars
starwars1 steelers stephanie strawberry sunshine sunshine1 superman superman1 supersecret superstar
swordfish sysadmin temp1234 test1234 testing123 testtest thailand thomas123 thunder1 tigger123 tinkerbell
topsecret tottenham trustno1 trustnoone twilight universe user1234 valentina valentine vanessa1 victoria
virginia voyager1 warcraft warriors welcome1 welcome12 welcome123 whatever whatever1 william1 williams
windows1 windows10 winter2024 wolfgang wolverine xbox360x xxxxxxxx yankees1 yellow123 zaq12wsx zaq1xsw2
zaq1zaq1 zxcvbnm1 zxcvbnm123 zxcvbnmm zzzzzzzz
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_has_no_entry_that_length_refuses_anyway() {
        let words: Vec<_> = COMMON.split_ascii_whitespace().collect();
        assert!(words.is_sorted_by(|one, next| one < next));
        assert!(words.iter().all(|word| word.len() >= 8 && *word == word.to_lowercase()));
    }

    #[test]
    fn common_passwords_and_simple_changes_of_them() {
        for common in
            ["password", "password2026!", "sunshine99", "qwertyuiop", "aaaaaaaaaaaa", "12345678", "zyxwvuts"]
        {
            assert!(contains(common), "{common}");
        }
        for other in ["tenor-lamp-42", "passwordless-login", "1029384756aq"] {
            assert!(!contains(other), "{other}");
        }
    }
}
