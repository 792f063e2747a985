# Тексты бота. Разметка – HTML Telegram; подставляемые значения экранируются до подстановки.

main-menu =
    <b>Что создадим?</b>

    Выберите раздел.
category-image = 🎨 Картинки
category-video = 🎬 Видео
category-audio = 🗣 Озвучка
category-music = 🎵 Музыка
category-enhance = ✨ Улучшить
category-avatar = 👤 Аватары
category-pick =
    <b>{ $category }</b> · { $page } из { $pages }

    Выберите модель.
model-card =
    <b>{ $title }</b>
    { $category }

    Цена: { $price }
    Вопросов: { $required }, настроек по желанию: { $optional }
price-from = от { $price }
price-free = бесплатно
price-unknown = пока неизвестна
best =
    <b>Самые доступные модели</b>

    Выберите модель.
free =
    <b>Бесплатные модели</b>

    Выберите модель.
free-none =
    <b>Бесплатные модели</b>

    Сейчас таких нет. Загляните позже.
search =
    <b>Поиск модели</b>

    Напишите, что ищете: название или задачу, например «видео из фото».
search-found =
    <b>Нашлось</b>

    Выберите модель или напишите другой запрос.
search-nothing =
    <b>Ничего не нашлось</b>

    Напишите иначе, например «картинка», «озвучка», «kling».
form-step = <b>{ $title }</b> · шаг { $step } из { $steps }
form-edit = <b>{ $title }</b> · параметр { $step } из { $steps }
form-text = Отправьте текст сообщением: от { $min } до { $max } символов.
form-number = Отправьте число: { $allowed }.
form-seconds = Отправьте число секунд: { $allowed }.
form-image =
    Отправьте картинку или ссылку на неё{ $allowed ->
        [image] {""}
       *[other] {" "}({ $allowed })
    }.
form-image-list =
    Отправьте картинки или ссылки на них, до { $max }{ $allowed ->
        [image] {""}
       *[other] {" "}({ $allowed })
    }.
form-video =
    Отправьте видео или ссылку на него{ $allowed ->
        [video] {""}
       *[other] {" "}({ $allowed })
    }.
form-video-list =
    Отправьте видео или ссылки на них, до { $max }{ $allowed ->
        [video] {""}
       *[other] {" "}({ $allowed })
    }.
form-audio =
    Отправьте аудио, голосовое или ссылку{ $allowed ->
        [audio] {""}
       *[other] {" "}({ $allowed })
    }.
form-audio-list =
    Отправьте аудио или ссылки на них, до { $max }{ $allowed ->
        [audio] {""}
       *[other] {" "}({ $allowed })
    }.
form-files-so-far = Уже есть: { $count } из { $max }.
options =
    <b>{ $title }</b> · параметры

    { $parameters }

    Можно изменить любой или идти дальше.
parameter-default = { $label }: { $value } <i>(по умолчанию)</i>
files-count =
    { $count ->
        [one] { $count } файл
        [few] { $count } файла
       *[other] { $count } файлов
    }
confirm =
    <b>Проверьте и запускайте</b>

    Модель: { $title }
    { $parameters }
confirm-price = Цена: <b>{ $price }</b>. На балансе: { $available }.
confirm-missing = ⚠️ Не хватает { $missing }.
confirm-wait-image = Обычно готово меньше чем за минуту.
confirm-wait-video = Обычно готово за 1–5 минут.
confirm-wait-audio = Обычно готово за 1–3 минуты.
processing =
    ⏳ <b>{ $title }</b>

    Генерирую. Пришлю результат в этот чат.
result-ready = ✅ <b>{ $title }</b> – готово, результат ниже.
result-link =
    ✅ <b>{ $title }</b>

    Telegram не принимает этот файл. <a href="{ $url }">Скачайте его здесь</a>: ссылка работает несколько дней.
result-caption = ✅ <b>{ $title }</b>
result-error =
    ⚠️ <b>{ $title }</b>

    { $reason }
    { $money }
    Код обращения: <code>{ $cid }</code>
result-unsent = Результат готов, но отправить его не получилось.
help =
    <b>Как это работает</b>

    1. Выберите раздел и модель.
    2. Ответьте на её вопросы: словами, кнопками, картинкой или ссылкой.
    3. Проверьте цену и подтвердите. Результат придёт в этот чат; если его не будет, деньги вернутся.

    Если что-то не сработало, пришлите нам код из сообщения об ошибке: по нему мы увидим, что случилось.
    /start – меню, /balance – баланс, /cancel – отменить.
updating =
    ⏳ <b>Сервис обновляется…</b>

    Нажатие не выполнено. Через минуту нажмите «Обновить».
updating-message = ⏳ Сервис обновляется… Сообщение сохранено, отвечу на него через минуту.
flood-message = ⏳ Слишком много сразу, часть сообщений пришлось пропустить. Подождите, пока я отвечу на остальные, и пришлите их ещё раз.
tap-waiting = ⏳ Принято, нужно ещё несколько секунд
tap-slow = ⏳ Это занимает больше времени, чем обычно, я ещё работаю. Если ничего не придёт, сообщите нам код: { $cid }
checkout-declined = Оплата пока недоступна. Деньги не списаны.
hint-too-short = Слишком коротко: нужно { $allowed } символов.
hint-too-long = Слишком длинно: можно { $allowed } символов.
hint-not-a-text = Нужен текст: { $allowed } символов.
hint-not-a-choice = Выберите одну из кнопок.
hint-unknown-command = Такой команды нет. Вот меню.
hint-unknown-command-form = Такой команды нет. Продолжим отсюда:
hint-unexpected = Чтобы начать, выберите раздел.
hint-continue = Продолжим отсюда:
button-create = ✨ Создать
button-generate = 🚀 Запустить
button-again = 🔁 Ещё раз
button-back = ◀️ Назад
button-cancel = ✖️ Отменить
button-menu = 🏠 Меню
button-refresh = 🔄 Обновить
button-help = ❓ Помощь
command-start = Открыть меню
command-help = Как это работает
command-cancel = Отменить текущее действие
money-returned = Деньги вернулись на баланс.
money-charged = Он оплачен и сохранён: нажмите «Прислать ещё раз».
money-untouched = Деньги не списаны.
balance =
    <b>Баланс: { $available }</b>
balance-held = В резерве, пока идёт генерация: { $held }
balance-no-moves = Операций пока нет.
balance-move = { $day } · { $kind } · { $amount }
move-topup = пополнение
move-welcome = приветственный бонус
move-hold = резерв
move-charge = оплата
move-release = возврат резерва
move-refund = возврат
move-adjust = корректировка
hint-not-a-number = Нужно число: { $allowed }.
hint-not-whole = Нужно целое число: { $allowed }.
hint-too-small = Слишком мало. Можно: { $allowed }.
hint-too-large = Слишком много. Можно: { $allowed }.
hint-not-a-file =
    Нужен файл или ссылка: { $allowed ->
        [image] картинка
        [video] видео
        [audio] аудио
       *[other] { $allowed }
    }.
hint-wrong-media =
    Это другой вид файла. Нужно: { $allowed ->
        [image] картинка
        [video] видео
        [audio] аудио
       *[other] { $allowed }
    }.
hint-wrong-type = Такой формат не подойдёт. Нужно: { $allowed }.
hint-file-too-big = Файл слишком большой. Нужно: { $allowed }.
hint-too-big-for-telegram = Такой большой файл Telegram мне не отдаст ({ $allowed }). Пришлите ссылку на него.
hint-too-many-files = Файлов слишком много: можно { $allowed }.
hint-not-a-link = Эта ссылка не подойдёт. Она должна начинаться с https:// и вести на сам файл.
hint-private-link = Эта ссылка не открывается для других. Пришлите общедоступную.
hint-no-files = Пока нет ни одного файла: нужно { $allowed }.
hint-missing = Сначала ответьте: { $parameters }.
hint-one-of = Нужно хотя бы одно из: { $parameters }.
hint-not-together = Вместе нельзя: { $parameters }. Уберите одно.
hint-nothing-asked = Сейчас ничего присылать не нужно. Нажмите одну из кнопок выше.
hint-combination = Такое сочетание параметров недоступно. Измените разрешение или длительность.
hint-quote-expired = Цена рассчитана давно. Проверьте новую и запустите ещё раз.
hint-model-price-unknown = У этой модели пока нет цены, запустить её нельзя. Выберите другую.
hint-model-needs-address = Эта модель в этом боте недоступна. Выберите другую.
hint-balance = Не хватает { $missing }.
hint-search-short = Напишите хотя бы две буквы.
hint-sending = Отправляю
button-best = 💸 Дешевле всего
button-free = 🎁 Бесплатно
button-search = 🔎 Найти модель
button-balance = 💰 Баланс
button-page-before = ◀️
button-page-after = ▶️
button-edit = ✏️ { $label }
button-change = ✏️ Изменить
button-proceed = ▶️ Дальше
button-done = ▶️ Дальше
button-skip = ⏭ Пропустить
button-clear = 🧹 Убрать
button-original = 📎 Оригинал файлом
button-retry = 🔁 Повторить
button-redeliver = 📨 Прислать ещё раз
command-balance = Баланс и операции
debug-panel =
    <b>🛠 Состояние</b>
    Режим: { $mode } · { $state } · эпоха { $epoch }
    Пульс: { $heartbeat } с · в очереди и в работе: { $depth }
    За час: ошибок { $faults } из { $outcomes } исходов
debug-source = Обновления от Telegram: { $state }
debug-warnings = Предупреждения самого сервиса за час: { $count } ({ $kinds })
debug-newest = Последний cid: <code>{ $cid }</code>
debug-level-until = Подробные логи до { $time } UTC
debug-level-normal = Логи обычные
debug-outcomes = Последние действия других, сначала отказы и ошибки (время UTC):
debug-no-outcomes = За сутки другие пользователи ничего не делали.
debug-chain = <b>🔎 { $cid }</b>
debug-no-trace =
    В журнале такого cid нет. Проверьте, нет ли опечатки: хранятся только последние дни, а новое появляется через секунду.

    Если кода у пользователя нет, а нажатие пропало: { $verdict }
debug-confidence = Уверенность: { $confidence }
confidence-high = высокая
confidence-medium = средняя
confidence-low = низкая
debug-complaint = <b>🆘 Пользователь сообщает о проблеме</b>
debug-user = Последние действия: <code>{ $who }</code> (время UTC)
debug-user-nothing = Действий не найдено: <code>{ $who }</code>
button-debug-on = 🔴 Enable Debug (30m)
button-debug-off = ⚪️ Disable Debug
button-debug-cid = 📋 Show Last CID
button-debug-close = ❌ Close
button-debug = 🛠 Панель
button-copy-cid = 📎 { $cid }
button-report = 🆘 Сообщить о проблеме
hint-debug-argument = Напишите cid (8 знаков), @имя или ID пользователя.
hint-debug-nobody = Такого пользователя бот не видел.
hint-debug-hidden = Telegram скрывает автора этого сообщения. Попросите у него cid.
hint-not-allowed = Эта команда вам недоступна.
hint-private-only = Я работаю только в личных чатах: напишите мне туда.
hint-reported = Спасибо, мы уже смотрим, что случилось.
hint-reported-before = Вы уже сообщили, мы смотрим. Ещё раз можно через десять минут.
hint-nobody-to-tell = Сейчас сообщить некому. Попробуйте позже.
command-report = Сообщить о проблеме
command-debug = Панель администратора
privacy =
    <b>Ваши данные</b>

    Пока вы не сотрёте данные, мы храним ваш ID, имя и язык в Telegram, тексты и файлы заказов. Ваши сообщения боту храним 7 дней.
    Записи о платежах остаются навсегда; когда вы сотрёте данные, по ним нельзя будет узнать, чьи они.
privacy-journal = Журнал действий без ваших текстов и ID – { $days } дн.
privacy-consent-given = Тексты в журнале: <b>разрешены</b>. Начало каждого текста видно тем, кто ищет ошибки.
privacy-consent-none = Тексты в журнале: <b>запрещены</b>. Видна только их длина.
privacy-erase =
    <b>Стереть всё?</b>

    Профиль, сообщения, заказы и журнал исчезнут, вернуть их нельзя. Кнопки под старыми сообщениями перестанут работать. Второй раз приветственный бонус не даётся.
privacy-erase-balance = Пропадёт и баланс: <b>{ $available }</b>.
button-privacy = 🔐 Мои данные
button-consent-on = ⚪️ Разрешить тексты в журнале
button-consent-off = 🟢 Запретить тексты в журнале
button-export = 📦 Получить копию
button-erase = 🗑 Стереть
button-erase-all = 🗑 Да, стереть всё
button-keep = ◀️ Оставить как есть
hint-exporting = Готовлю копию
hint-exported-before = Вы только что получили копию. Следующую можно получить через минуту.
hint-erasing = Стираю
hint-erase-busy = Ещё идёт генерация или отправка результата. Попробуйте, когда она закончится.
export-document = Всё, что мы о вас храним. Если записей слишком много, только последние.
export-failed = Копию сделать не удалось. Попробуйте позже.
erase-done = Готово: всё стёрто. Чтобы начать заново, отправьте /start.
erase-failed = Стереть не удалось, всё осталось как было. Попробуйте позже.
command-privacy = Мои данные
