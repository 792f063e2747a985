# The texts of the bot. Markup is Telegram's HTML; inserted values are escaped before they get here.

main-menu =
    <b>What shall we create?</b>

    Choose a section.
category-image = 🎨 Pictures
category-video = 🎬 Video
category-audio = 🗣 Speech
category-music = 🎵 Music
category-enhance = ✨ Enhance
category-avatar = 👤 Avatars
category-pick =
    <b>{ $category }</b> · { $page } of { $pages }

    Choose a model.
model-card =
    <b>{ $title }</b>
    { $category }

    Price: { $price }
    Questions: { $required }, optional settings: { $optional }
price-from = from { $price }
price-free = free
price-unknown = not known yet
best =
    <b>The cheapest models</b>

    Choose a model.
free =
    <b>Free models</b>

    Choose a model.
free-none =
    <b>Free models</b>

    There are none at the moment. Look in later.
search =
    <b>Find a model</b>

    Write what you are looking for: a name or a task, such as “video from photo”.
search-found =
    <b>Found</b>

    Choose a model, or write something else.
search-nothing =
    <b>Nothing was found</b>

    Try other words, such as “picture”, “voice”, “kling”.
form-step = <b>{ $title }</b> · step { $step } of { $steps }
form-edit = <b>{ $title }</b> · setting { $step } of { $steps }
form-text = Send the text as a message: { $min } to { $max } characters.
form-number = Send a number: { $allowed }.
form-seconds = Send a number of seconds: { $allowed }.
form-image =
    Send a picture or a link to one{ $allowed ->
        [image] {""}
       *[other] {" "}({ $allowed })
    }.
form-image-list =
    Send pictures or links to them, up to { $max }{ $allowed ->
        [image] {""}
       *[other] {" "}({ $allowed })
    }.
form-video =
    Send a video or a link to one{ $allowed ->
        [video] {""}
       *[other] {" "}({ $allowed })
    }.
form-video-list =
    Send videos or links to them, up to { $max }{ $allowed ->
        [video] {""}
       *[other] {" "}({ $allowed })
    }.
form-audio =
    Send audio, a voice message or a link{ $allowed ->
        [audio] {""}
       *[other] {" "}({ $allowed })
    }.
form-audio-list =
    Send audio files or links to them, up to { $max }{ $allowed ->
        [audio] {""}
       *[other] {" "}({ $allowed })
    }.
form-files-so-far = So far: { $count } of { $max }.
options =
    <b>{ $title }</b> · settings

    { $parameters }

    Change any of them, or go on.
parameter-default = { $label }: { $value } <i>(default)</i>
files-count =
    { $count ->
        [one] { $count } file
       *[other] { $count } files
    }
confirm =
    <b>Check and run</b>

    Model: { $title }
    { $parameters }
confirm-price = Price: <b>{ $price }</b>. Your balance: { $available }.
confirm-missing = ⚠️ You are { $missing } short.
confirm-wait-image = Usually ready within a minute.
confirm-wait-video = Usually ready in 1 to 5 minutes.
confirm-wait-audio = Usually ready in 1 to 3 minutes.
processing =
    ⏳ <b>{ $title }</b>

    Generating. The result will come to this chat.
result-ready = ✅ <b>{ $title }</b> is ready, see below.
result-link =
    ✅ <b>{ $title }</b>

    Telegram does not take this file. <a href="{ $url }">Download it here</a>: the link works for a few days.
result-caption = ✅ <b>{ $title }</b>
result-error =
    ⚠️ <b>{ $title }</b>

    { $reason }
    { $money }
    Reference: <code>{ $cid }</code>
result-unsent = The result is ready, but sending it did not work.
help =
    <b>How it works</b>

    1. Choose a section and a model.
    2. Answer its questions: with words, buttons, a picture or a link.
    3. Check the price and confirm. The result comes to this chat; if there is none, the money comes back.

    If something did not work, send us the code from the error message: it shows us what happened.
    /start – menu, /balance – balance, /cancel – cancel.
updating =
    ⏳ <b>The service is being updated…</b>

    Your tap was not carried out. Press “Refresh” in a minute.
updating-message = ⏳ The service is being updated… Your message is kept, I will answer it in a minute.
flood-message = ⏳ That was too much at once, and I had to leave out some of your messages. Let me answer the others, then send those again.
tap-waiting = ⏳ Got it, a few more seconds
tap-slow = ⏳ This takes longer than usual, I am still on it. If nothing comes, tell us this code: { $cid }
checkout-declined = Payments are not available yet. You have not been charged.
hint-too-short = Too short: { $allowed } characters are needed.
hint-too-long = Too long: { $allowed } characters are allowed.
hint-not-a-text = A text is needed: { $allowed } characters.
hint-not-a-choice = Choose one of the buttons.
hint-unknown-command = There is no such command. Here is the menu.
hint-unknown-command-form = There is no such command. Let us go on from here:
hint-unexpected = To begin, choose a section.
hint-continue = Let us go on from here:
button-create = ✨ Create
button-generate = 🚀 Run
button-again = 🔁 Once more
button-back = ◀️ Back
button-cancel = ✖️ Cancel
button-menu = 🏠 Menu
button-refresh = 🔄 Refresh
button-help = ❓ Help
command-start = Open the menu
command-help = How it works
command-cancel = Cancel what is going on
money-returned = Your money is back on your balance.
money-charged = It is paid for and kept: press “Send it again”.
money-untouched = You were not charged.
balance =
    <b>Balance: { $available }</b>
balance-held = Reserved for what is being made: { $held }
balance-no-moves = No payments yet.
balance-move = { $day } · { $kind } · { $amount }
move-topup = top-up
move-welcome = welcome credit
move-hold = reserved
move-charge = paid
move-release = reserve returned
move-refund = refund
move-adjust = correction
hint-not-a-number = A number is needed: { $allowed }.
hint-not-whole = A whole number is needed: { $allowed }.
hint-too-small = Too little. Allowed: { $allowed }.
hint-too-large = Too much. Allowed: { $allowed }.
hint-not-a-file =
    A file or a link is needed: { $allowed ->
        [image] a picture
        [video] a video
        [audio] audio
       *[other] { $allowed }
    }.
hint-wrong-media =
    This is another kind of file. Needed: { $allowed ->
        [image] a picture
        [video] a video
        [audio] audio
       *[other] { $allowed }
    }.
hint-wrong-type = This format does not fit. Needed: { $allowed }.
hint-file-too-big = The file is too big. Needed: { $allowed }.
hint-too-big-for-telegram = Telegram does not give me files this big ({ $allowed }). Send a link to it.
hint-too-many-files = Too many files: { $allowed } allowed.
hint-not-a-link = This link cannot be used. It has to begin with https:// and lead to the file itself.
hint-private-link = This link does not open for others. Send one that anybody can open.
hint-no-files = There is no file yet: { $allowed } needed.
hint-missing = First answer: { $parameters }.
hint-one-of = At least one of these is needed: { $parameters }.
hint-not-together = These do not go together: { $parameters }. Take one away.
hint-nothing-asked = Nothing has to be sent now. Use the buttons above.
hint-combination = This combination of settings is not available. Change the resolution or the duration.
hint-quote-expired = The price was worked out a while ago. Check today’s price and run again.
hint-model-price-unknown = This model has no price yet and cannot be run. Choose another one.
hint-model-needs-address = This model is not available in this bot. Choose another one.
hint-balance = You are { $missing } short.
hint-search-short = Write at least two letters.
hint-sending = Sending
button-best = 💸 Cheapest
button-free = 🎁 Free
button-search = 🔎 Find a model
button-balance = 💰 Balance
button-page-before = ◀️
button-page-after = ▶️
button-edit = ✏️ { $label }
button-change = ✏️ Change
button-proceed = ▶️ Go on
button-done = ▶️ Go on
button-skip = ⏭ Skip
button-clear = 🧹 Remove
button-original = 📎 Original file
button-retry = 🔁 Try again
button-redeliver = 📨 Send it again
command-balance = Balance and payments
debug-panel =
    <b>🛠 State</b>
    Mode: { $mode } · { $state } · epoch { $epoch }
    Heartbeat: { $heartbeat } s · in the queue and in work: { $depth }
    Last hour: { $faults } faults of { $outcomes } outcomes
debug-source = Updates from Telegram: { $state }
debug-warnings = Last hour, the service itself: { $count } warnings ({ $kinds })
debug-newest = Newest cid: <code>{ $cid }</code>
debug-level-until = Detailed logs until { $time } UTC
debug-level-normal = Logs as usual
debug-outcomes = What others did last, refusals and faults first (times in UTC):
debug-no-outcomes = Nobody else did anything within a day.
debug-chain = <b>🔎 { $cid }</b>
debug-no-trace =
    The journal has no such cid. Look for a typing mistake: it keeps the last days only, and what is new takes a second.

    If the user has no code, and a click was lost: { $verdict }
debug-confidence = Confidence: { $confidence }
confidence-high = high
confidence-medium = medium
confidence-low = low
debug-complaint = <b>🆘 A user reports a problem</b>
debug-user = Last actions of <code>{ $who }</code> (times in UTC)
debug-user-nothing = No actions found of <code>{ $who }</code>
button-debug-on = 🔴 Enable Debug (30m)
button-debug-off = ⚪️ Disable Debug
button-debug-cid = 📋 Show Last CID
button-debug-close = ❌ Close
button-debug = 🛠 Panel
button-copy-cid = 📎 { $cid }
button-report = 🆘 Report a problem
hint-debug-argument = Write a cid (8 digits), a @name or the number of a user.
hint-debug-nobody = The bot has never seen such a user.
hint-debug-hidden = Telegram hides who wrote this message. Ask them for the cid.
hint-not-allowed = You are not allowed to use this command.
hint-private-only = I work in private chats only: write to me there.
hint-reported = Thank you, we are looking into it.
hint-reported-before = You have told us already, we are looking into it. Again in ten minutes.
hint-nobody-to-tell = There is nobody to tell at the moment. Try again later.
command-report = Report a problem
command-debug = Panel of the administrators
privacy =
    <b>Your data</b>

    Until you erase them we keep: your number, name and language on Telegram, the texts and files of your orders. Your messages to the bot: 7 days.
    Moves of money stay for ever; after erasing they no longer tell whose they are.
privacy-journal = The log of actions, without your texts and number: { $days } days.
privacy-consent-given = Texts in the log: <b>allowed</b>. Those who look for errors see how each text begins.
privacy-consent-none = Texts in the log: <b>not allowed</b>. Only their length is seen.
privacy-erase =
    <b>Erase everything?</b>

    Profile, messages, orders and log go and cannot be brought back. Buttons under old messages will no longer work. The welcome bonus is not given twice.
privacy-erase-balance = Your balance goes too: <b>{ $available }</b>.
button-privacy = 🔐 My data
button-consent-on = ⚪️ Allow texts in the log
button-consent-off = 🟢 Keep texts out of the log
button-export = 📦 Get a copy
button-erase = 🗑 Erase
button-erase-all = 🗑 Yes, erase everything
button-keep = ◀️ Leave it as it is
hint-exporting = Making your copy
hint-exported-before = You have had a copy just now. The next one in a minute.
hint-erasing = Erasing
hint-erase-busy = Something is still under way: a generation or its delivery. Try again when it has ended.
export-document = All that we keep about you. Where there is too much, the newest.
export-failed = The copy could not be made. Try again later.
erase-done = Done: everything is erased. To begin anew, send /start.
erase-failed = Nothing could be erased, all is as it was. Try again later.
command-privacy = My data
